import { Command, Option } from 'commander';
import { checked } from '../../shared/checked.ts';
import { SlugSchema, TitleSchema } from '../../src/contract/primitives.ts';
import { LimitSchema, type Tenant, TenantSchema } from '../../src/contract/tenants.ts';
import { TRANSPORTS, type Transport } from '../../src/contract/wireguard.ts';
import { path } from '../api.ts';
import { checkedNumber } from '../flags.ts';
import { type Columns, formatFacts } from '../format/table.ts';
import type { Open } from '../session.ts';

interface ChangeFlags {
  readonly name?: string;
  readonly maxNetworks?: number;
  readonly maxSites?: number;
  readonly maxMacs?: number;
  readonly transport?: Transport;
}

const COLUMNS: Columns<Tenant> = [
  ['SLUG', ({ slug }) => slug],
  ['NAME', ({ name }) => name],
  ['MAX NETWORKS', ({ limits }) => limits.networks],
  ['MAX SITES', ({ limits }) => limits.sites],
  ['MAX MACS', ({ limits }) => limits.macsPerNetwork],
  ['REVISION', ({ revision }) => revision],
];

export function tenantCommand(open: Open): Command {
  const command = new Command('tenant').description('tenants and their limits (the operator’s)');

  command
    .command('list')
    .description('all tenants')
    .action(async () => {
      const { api, list } = await open();
      list(await api.list('/v1/tenants', TenantSchema), COLUMNS);
    });

  command
    .command('show')
    .description('one tenant')
    .argument('<slug>', 'the tenant', checked(SlugSchema))
    .action(async (slug: string) => {
      const { api, show } = await open();
      show(await api.get(path`/v1/tenants/${slug}`, TenantSchema), formatTenant);
    });

  withSettings(command.command('create'))
    .description('make a tenant')
    .argument('<slug>', 'what it is called in addresses and commands', checked(SlugSchema))
    .option('--name <name>', 'what it is called by people; the slug unless said', checked(TitleSchema))
    .action(async (slug: string, flags: ChangeFlags) => {
      const { api, show } = await open();
      const body = { slug, name: flags.name ?? slug, ...settingsOf(flags) };
      show(await api.post('/v1/tenants', body, TenantSchema), formatTenant);
    });

  withSettings(command.command('edit'))
    .description('change a tenant; what is not named stays')
    .argument('<slug>', 'the tenant', checked(SlugSchema))
    .option('--name <name>', 'what it is called by people', checked(TitleSchema))
    .action(async (slug: string, flags: ChangeFlags) => {
      const { api, show } = await open();
      const body = { ...(flags.name === undefined ? {} : { name: flags.name }), ...settingsOf(flags) };
      show(await api.patch(path`/v1/tenants/${slug}`, body, TenantSchema), formatTenant);
    });

  command
    .command('delete')
    .description('delete a tenant that has neither networks nor sites')
    .argument('<slug>', 'the tenant', checked(SlugSchema))
    .action(async (slug: string) => {
      const { api, confirm, say } = await open();
      await confirm(`Delete tenant ${slug}, its keys and its join tokens?`);
      await api.delete(path`/v1/tenants/${slug}`);
      say(`Deleted tenant ${slug}.`);
    });

  return command;
}

function withSettings(command: Command): Command {
  return command
    .option('--max-networks <n>', 'how many networks it may have', checkedNumber(LimitSchema))
    .option('--max-sites <n>', 'how many sites', checkedNumber(LimitSchema))
    .option('--max-macs <n>', 'how many MAC addresses in each network', checkedNumber(LimitSchema))
    .addOption(new Option('--transport <how>', 'wireguard: all of its networks must be encrypted').choices(TRANSPORTS));
}

function settingsOf({ maxNetworks, maxSites, maxMacs, transport }: ChangeFlags): object {
  const limits = {
    ...(maxNetworks === undefined ? {} : { networks: maxNetworks }),
    ...(maxSites === undefined ? {} : { sites: maxSites }),
    ...(maxMacs === undefined ? {} : { macsPerNetwork: maxMacs }),
  };
  return { ...(Object.keys(limits).length === 0 ? {} : { limits }), ...(transport === undefined ? {} : { transport }) };
}

function formatTenant({ slug, name, id, limits, transport, revision, createdAt }: Tenant): string {
  return formatFacts([
    ['tenant', slug],
    ['name', name],
    ['id', id],
    ['limits', `${limits.networks} networks, ${limits.sites} sites, ${limits.macsPerNetwork} MACs in each network`],
    ['transport', transport === 'plain' ? transport : `${transport}, for all networks`],
    ['revision', revision],
    ['created', createdAt],
  ]);
}
