/** Text for people: tables, and facts of one thing. What comes from elsewhere can't steer the terminal. */
import { formatColumns } from '../../shared/columns.ts';
import { oneLine } from '../../shared/failure.ts';

type Cell = string | number | undefined;
export type Columns<T> = readonly (readonly [head: string, cell: (item: T) => Cell])[];

export function formatTable<T>(items: readonly T[], columns: Columns<T>): string {
  if (items.length === 0) return 'none';
  return formatColumns([
    columns.map(([head]) => head),
    ...items.map((item) => columns.map(([, cell]) => plain(cell(item)))),
  ]);
}

/** One line per fact; those without a value are left out. */
export function formatFacts(facts: readonly (readonly [name: string, value: Cell])[]): string {
  return formatColumns(facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, plain(value)]])));
}

/** @returns `region=be, rack=4`. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

function plain(cell: Cell): string {
  const text = oneLine(String(cell ?? ''));
  return text === '' ? '-' : text;
}
