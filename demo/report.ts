/** What the demo prints: plain text, with colours where a person looks. */

export interface Style {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export function createStyle(colours: boolean): Style {
  const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { strong: paint(1), faint: paint(2), good: paint(32), bad: paint(31) };
}

/** Columns as wide as their widest cell; the first row is the head. */
export function formatTable(rows: readonly (readonly string[])[], style: Style): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row, index) => {
      const line = row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('   ');
      return `  ${index === 0 ? style.strong(line.trimEnd()) : line.trimEnd()}`;
    })
    .join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
