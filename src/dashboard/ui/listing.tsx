/** A list that is asked for: its shape while it is awaited, why it can't be shown, what to say where it is empty, else its table. */
import type { ComponentChildren } from 'preact';
import { Failure, Skeleton } from './states.tsx';
import { Table, type TableProps } from './table.tsx';

interface Props<Row> extends Omit<TableProps<Row>, 'rows' | 'onEnd'> {
  readonly of: {
    readonly items?: readonly Row[] | undefined;
    readonly error?: Error | undefined;
    readonly hasMore?: boolean;
    readonly more?: () => void;
    readonly isOutdated?: boolean;
    readonly reload?: () => void;
  };
  /** Those of the items that are looked for; all of them unless given. */
  readonly rows?: readonly Row[] | undefined;
  /** So many are likely. */
  readonly likely?: number;
  readonly empty: ComponentChildren;
  /** Said where something changed since so much was loaded that it is not asked for anew unbidden. */
  readonly outdated?: string;
}

export function Listing<Row>({ of, rows = of.items, likely = 4, empty, outdated, ...table }: Props<Row>) {
  const body = () => {
    if (rows === undefined) return of.error ? <Failure error={of.error} /> : <Skeleton rows={likely} height={28} />;
    return rows.length === 0 ? empty : <Table {...table} rows={rows} onEnd={of.hasMore ? of.more : undefined} />;
  };
  return (
    <>
      {outdated && of.isOutdated && (
        <button type="button" class="reload" onClick={of.reload}>
          {outdated}
        </button>
      )}
      {body()}
    </>
  );
}
