/** A table of any length: only the rows in sight are there, the rest is space. Rows have one height, so that their places are known. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What it is sorted by; without it, it isn't. */
  readonly by?: (row: Row) => string | number;
  readonly isNumber?: boolean;
  /** Takes the room that the others leave. */
  readonly isWide?: boolean;
  /** Left out on narrow screens, widest first. */
  readonly from?: 'tablet' | 'desktop' | 'wide';
}

export interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
  /** How many there are in all, where that is known to be more than there are rows. */
  readonly total?: number | undefined;
  /** Called when the end comes in sight. */
  readonly onEnd?: (() => void) | undefined;
}

export const ROW_PX = 44;
/** So many more rows above and below what is in sight. */
const MARGIN = 12;

interface Sort {
  readonly column: number;
  readonly isDown: boolean;
}

export function Table<Row>({ label, rows, keyOf, columns, total, onEnd }: TableProps<Row>) {
  const [sort, setSort] = useState<Sort | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const [first, last] = useRowsInSight(body, sorted.length);
  const isAtEnd = last >= sorted.length;
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, sorted.length, onEnd]);

  return (
    <table aria-label={label} aria-rowcount={(total ?? sorted.length) + 1}>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map((column, i) => (
            <HeadCell key={column.head} column={column} index={i} sort={sort} onSort={setSort} />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {first > 0 && <Space rows={first} columns={columns.length} />}
        {sorted.slice(first, last).map((row, i) => (
          <tr key={keyOf(row)} aria-rowindex={first + i + 2}>
            {columns.map((column, at) => (
              <td key={column.head} class={classOf(column)} data-first={at === 0 ? '' : undefined}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
        {last < sorted.length && <Space rows={sorted.length - last} columns={columns.length} />}
      </tbody>
    </table>
  );
}

function HeadCell<Row>(props: {
  readonly column: Column<Row>;
  readonly index: number;
  readonly sort: Sort | null;
  readonly onSort: (sort: Sort | null) => void;
}) {
  const { column, index, sort, onSort } = props;
  const isSorted = sort?.column === index;
  if (column.by === undefined) {
    return (
      <th scope="col" class={classOf(column)}>
        {column.head}
      </th>
    );
  }
  const next = !isSorted
    ? { column: index, isDown: column.isNumber === true }
    : { column: index, isDown: !sort.isDown };
  return (
    <th scope="col" class={classOf(column)} aria-sort={isSorted ? (sort.isDown ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class={isSorted ? 'sort active' : 'sort'} onClick={() => onSort(next)}>
        {column.head}
        <span class={isSorted && !sort.isDown ? 'up' : ''}>
          <Icon name="down" />
        </span>
      </button>
    </th>
  );
}

function Space({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  return (
    <tr class="space">
      <td colSpan={columns} style={{ height: `${rows * ROW_PX}px` }} />
    </tr>
  );
}

function classOf<Row>({ isNumber, isWide, from }: Column<Row>): string {
  return [isNumber ? 'number' : '', isWide ? 'widest' : '', from ? `from-${from}` : ''].filter(Boolean).join(' ');
}

function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort | null): readonly Row[] {
  const by = sort === null ? undefined : columns[sort.column]?.by;
  if (sort === null || by === undefined) return rows;
  const sign = sort.isDown ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
    return sign * String(x).localeCompare(String(y), 'en', { numeric: true });
  });
}

/** The half-open range of rows that are in the window or near it; all of them where they are few. */
function useRowsInSight(body: { readonly current: HTMLElement | null }, count: number): readonly [number, number] {
  const [top, setTop] = useState(0);
  useEffect(() => {
    let frame = 0;
    const look = (): void => {
      frame = 0;
      const box = body.current?.getBoundingClientRect();
      if (box !== undefined) setTop(Math.max(0, Math.floor(-box.top / ROW_PX)));
    };
    const soon = (): void => {
      frame ||= requestAnimationFrame(look);
    };
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    look();
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', soon);
      removeEventListener('resize', soon);
    };
  }, [body]);
  const seen = Math.ceil(innerHeight / ROW_PX);
  // In steps, so that most scrolling draws nothing anew.
  const from = Math.max(0, Math.floor((top - MARGIN) / 8) * 8);
  return [Math.min(from, count), Math.min(count, from + seen + 2 * MARGIN + 8)];
}
