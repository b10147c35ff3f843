/** What passes now, in and out, as two columns of a table. */
import type { Rate } from '../api/rates.ts';
import { formatRate } from '../format/number.ts';
import type { Column } from './table.tsx';

export function rateColumns<Row>(rateOf: (row: Row) => Rate | undefined): Column<Row>[] {
  return [
    {
      head: 'In',
      from: 'tablet',
      isNumber: true,
      by: (one) => rateOf(one)?.inBits ?? 0,
      cell: (one) => formatRate(rateOf(one)?.inBits),
    },
    {
      head: 'Out',
      from: 'tablet',
      isNumber: true,
      by: (one) => rateOf(one)?.outBits ?? 0,
      cell: (one) => formatRate(rateOf(one)?.outBits),
    },
  ];
}
