import { Command } from 'commander';
import { checked } from '../../shared/checked.ts';
import { type MacView, MacViewSchema } from '../../src/contract/macs.ts';
import { MacSchema, NameSchema, UnicastIpSchema } from '../../src/contract/primitives.ts';
import { path } from '../api.ts';
import { type Columns, formatFacts } from '../format/table.ts';
import type { Open } from '../session.ts';

interface ListFlags {
  readonly mac?: string;
  readonly ip?: string;
  readonly site?: string;
}

const COLUMNS: Columns<MacView> = [
  ['MAC', ({ mac }) => mac],
  ['IP', ({ ip }) => ip],
  ['SITE', ({ siteName }) => siteName],
  ['SEQ', ({ seq }) => seq],
  ['KIND', formatKind],
];

export function macCommand(open: Open): Command {
  const command = new Command('mac').description('a network’s MAC/IP table: which station is at which site');

  withNetwork(command.command('list'))
    .description('the network’s stations')
    .option('--mac <mac>', 'only this one', checked(MacSchema))
    .option('--ip <ip>', 'only with this address', checked(UnicastIpSchema))
    .option('--site <site>', 'only at this site', checked(NameSchema))
    .action(async (network: string, { mac, ip, site }: ListFlags) => {
      const { api, at, list } = await open();
      list(await api.list(at() + path`/networks/${network}/macs`, MacViewSchema, { mac, ip, site }), COLUMNS);
    });

  withMac(withNetwork(command.command('set')))
    .description('say where a station is; no announcement moves it from there')
    .requiredOption('--site <site>', 'the site’s name or id', checked(NameSchema))
    .option('--ip <ip>', 'its address', checked(UnicastIpSchema))
    .action(async (network: string, mac: string, { site, ip }: { readonly site: string; readonly ip?: string }) => {
      const { api, at, show } = await open();
      const body = { site, ...(ip === undefined ? {} : { ip }) };
      show(await api.put(at() + path`/networks/${network}/macs/${mac}`, body, MacViewSchema), formatMacView);
    });

  withMac(withNetwork(command.command('delete')))
    .description('forget a station, until a site announces it')
    .action(async (network: string, mac: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Delete ${mac} from the table of network ${network}?`);
      await api.delete(at() + path`/networks/${network}/macs/${mac}`);
      say(`Deleted ${mac} from network ${network}.`);
    });

  withMac(withNetwork(command.command('unfreeze')))
    .description('let a station that moved too often move again')
    .action(async (network: string, mac: string) => {
      const { api, at, say } = await open();
      await api.delete(at() + path`/networks/${network}/macs/${mac}/freeze`);
      say(`${mac} of network ${network} may move again.`);
    });

  return command;
}

function withNetwork(command: Command): Command {
  return command.argument('<network>', 'the network’s name or id', checked(NameSchema));
}

function withMac(command: Command): Command {
  return command.argument('<mac>', 'the station’s address, such as 02:00:00:00:00:0a', checked(MacSchema));
}

function formatKind({ sticky, live, frozenUntil }: MacView): string {
  const kind = sticky ? 'sticky' : frozenUntil === undefined ? 'learned' : `frozen until ${frozenUntil}`;
  return live ? kind : `${kind}, hidden`;
}

function formatMacView(row: MacView): string {
  return formatFacts([
    ['mac', row.mac],
    ['ip', row.ip],
    ['site', `${row.siteName} (${row.site})`],
    ['seq', row.seq],
    ['kind', formatKind(row)],
  ]);
}
