/** The bench's table, and its place in bench/README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** One line: what, in which unit, what came out, and what is aimed at first and then. */
export type Line = readonly [what: string, measuredAs: string, result: string, first: string, then: string];

/** @returns a table in Markdown, its columns aligned so that it reads as plain text too. */
export function formatMarkdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`);
  return [lines[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.slice(1)].join('\n');
}

/** Puts a part between its marks in the file, in place of what an earlier run left there. @param command that makes it, but for `--write`. */
export function writePart(path: URL, name: string, text: string, command = `bench:${name} --`): void {
  const [begin, end] = [`<!-- ${name}: written by npm run ${command} --write -->`, `<!-- end of ${name} -->`];
  const file = readFileSync(path, 'utf8');
  const from = file.indexOf(begin);
  const to = file.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${path.pathname} has no marks of ${name}`);
  writeFileSync(path, `${file.slice(0, from)}${begin}\n\n${text}\n\n${file.slice(to)}`);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param q from 0 to 1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

export function describeMachine(): string {
  const { model } = cpus()[0]!;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${availableParallelism()} cores (${model.trim()}), ${memory}, Linux ${release()}, Node ${process.version}`;
}
