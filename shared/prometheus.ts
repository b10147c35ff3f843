/** The text format that Prometheus reads (version 0.0.4). */

export type Labels = Readonly<Record<string, string | number>>;
/** One figure, with its labels: `[{pool: 'shared'}, 5]`. */
export type Sample = readonly [labels: Labels, value: number];

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

export function formatMetric(metric: Metric): string {
  return formatLines([...headingOf(metric), ...metric.samples.map((sample) => formatSample(metric.name, sample))]);
}

export function headingOf({ name, help, type }: Omit<Metric, 'samples'>): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

export function formatSample(name: string, [labels, value]: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

export function formatLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
