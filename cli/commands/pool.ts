import { Command } from 'commander';
import { checked } from '../../shared/checked.ts';
import { NameSchema, SlugSchema, VniSchema } from '../../src/contract/primitives.ts';
import {
  type QuarantinedVni,
  QuarantinedVniSchema,
  type VniPool,
  VniPoolSchema,
} from '../../src/contract/vni-pools.ts';
import { path } from '../api.ts';
import { checkedNumber } from '../flags.ts';
import { type Columns, formatFacts } from '../format/table.ts';
import type { Open } from '../session.ts';

const COLUMNS: Columns<VniPool> = [
  ['NAME', ({ name }) => name],
  ['FIRST', ({ first }) => first],
  ['LAST', ({ last }) => last],
  ['FOR', ({ tenant }) => tenant ?? 'all'],
  ['FREE', ({ free }) => free],
  ['USED', ({ used }) => used],
  ['RESTING', ({ quarantined }) => quarantined],
];

const RESTING: Columns<QuarantinedVni> = [
  ['VNI', ({ vni }) => vni],
  ['HAD BY', ({ tenant }) => tenant],
  ['RELEASED', ({ releasedAt }) => releasedAt],
  ['UNTIL', ({ until }) => until],
];

export function poolCommand(open: Open): Command {
  const command = new Command('pool').description('ranges of VNIs, and released ones that rest (the operator’s)');

  command
    .command('list')
    .description('all pools')
    .action(async () => {
      const { api, list } = await open();
      list(await api.list('/v1/vni-pools', VniPoolSchema), COLUMNS);
    });

  command
    .command('show')
    .description('one pool')
    .argument('<pool>', 'its name or id', checked(NameSchema))
    .action(async (pool: string) => {
      const { api, show } = await open();
      show(await api.get(path`/v1/vni-pools/${pool}`, VniPoolSchema), formatPool);
    });

  command
    .command('create')
    .description('carve a pool out of what the shared one has free')
    .argument('<name>', 'its name', checked(NameSchema))
    .argument('<first>', 'its first VNI', checkedNumber(VniSchema))
    .argument('<last>', 'its last VNI', checkedNumber(VniSchema))
    .option('--for <tenant>', 'the one tenant that it is for; all of them unless said', checked(SlugSchema))
    .action(async (name: string, first: number, last: number, flags: { readonly for?: string }) => {
      const { api, show } = await open();
      const body = { name, first, last, ...(flags.for === undefined ? {} : { tenant: flags.for }) };
      show(await api.post('/v1/vni-pools', body, VniPoolSchema), formatPool);
    });

  command
    .command('delete')
    .description('give a pool back to the shared one; its numbers in use stay so')
    .argument('<pool>', 'its name or id', checked(NameSchema))
    .action(async (pool: string) => {
      const { api, confirm, say } = await open();
      await confirm(`Delete pool ${pool}?`);
      await api.delete(path`/v1/vni-pools/${pool}`);
      say(`Deleted pool ${pool}.`);
    });

  command
    .command('resting')
    .description('released VNIs that nobody gets yet, and until when')
    .action(async () => {
      const { api, list } = await open();
      list(await api.list('/v1/vni-quarantine', QuarantinedVniSchema), RESTING);
    });

  command
    .command('release')
    .description('end a released VNI’s rest before its time')
    .argument('<vni>', 'the VNI', checkedNumber(VniSchema))
    .action(async (vni: number) => {
      const { api, confirm, say } = await open();
      await confirm(`Release VNI ${vni}? Frames of the network that had it may still be on their way.`);
      await api.delete(path`/v1/vni-quarantine/${String(vni)}`);
      say(`Released VNI ${vni}.`);
    });

  return command;
}

function formatPool({ name, id, first, last, tenant, free, used, quarantined }: VniPool): string {
  return formatFacts([
    ['pool', name],
    ['id', id],
    ['range', `${first} to ${last}`],
    ['for', tenant ?? 'all tenants'],
    ['free', free],
    ['used', used],
    ['resting', quarantined],
  ]);
}
