import { Command } from 'commander';
import { type Usage, UsageSchema } from '../../src/contract/usage.ts';
import { type Columns, formatTable } from '../format/table.ts';
import type { Open } from '../session.ts';

const COLUMNS: Columns<readonly [string, { readonly used: number; readonly limit: number }]> = [
  ['WHAT', ([what]) => what],
  ['USED', ([, { used }]) => used],
  ['LIMIT', ([, { limit }]) => limit],
];

export function usageCommand(open: Open): Command {
  return new Command('usage').description('what the tenant has of what it may have').action(async () => {
    const { api, at, show } = await open();
    show(await api.get(`${at()}/usage`, UsageSchema), formatUsage);
  });
}

function formatUsage(usage: Usage): string {
  const { networks, sites, macsPerNetwork, vnis } = usage;
  return formatTable(
    [
      ['networks', networks],
      ['sites', sites],
      ['MACs in the fullest network', macsPerNetwork],
      ...(vnis === undefined ? [] : [['VNIs in use and at rest', vnis] as const]),
    ],
    COLUMNS,
  );
}
