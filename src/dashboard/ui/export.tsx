import { useState } from 'preact/hooks';
import { readAll } from '../api/pages.ts';
import { type CsvColumn, formatCsv, saveFile } from '../format/csv.ts';
import { Icon } from './icons.tsx';
import { say } from './toast.tsx';

interface Props<Row> {
  /** Of the file, before the date. */
  readonly name: string;
  /** Where all rows come from, with the filters that are set; or the rows. */
  readonly path?: string;
  readonly rows?: readonly Row[];
  readonly columns: readonly CsvColumn<Row>[];
}

/** Saves a whole list, not only what is loaded of it, as CSV. */
export function Export<Row>({ name, path, rows, columns }: Props<Row>) {
  const [isBusy, setBusy] = useState(false);
  async function save(): Promise<void> {
    setBusy(true);
    try {
      const all = rows ?? (await readAll<Row>(path ?? ''));
      saveFile(`overlane-${name}-${new Date().toISOString().slice(0, 10)}.csv`, formatCsv(all, columns));
    } catch (error) {
      say(`Not exported: ${(error as Error).message}`, 'bad');
    } finally {
      setBusy(false);
    }
  }
  return (
    <button type="button" class="button" aria-busy={isBusy} disabled={isBusy} onClick={() => void save()}>
      <Icon name="download" />
      CSV
    </button>
  );
}
