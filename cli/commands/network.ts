import { Command, Option } from 'commander';
import { checked } from '../../shared/checked.ts';
import { type Network, NetworkSchema } from '../../src/contract/networks.ts';
import {
  DescriptionSchema,
  MtuSchema,
  MulticastIpSchema,
  NameSchema,
  SubnetSchema,
  VniSchema,
} from '../../src/contract/primitives.ts';
import { ANTI_SPOOF_MODES, FLOOD_MODES } from '../../src/contract/table.ts';
import { TRANSPORTS } from '../../src/contract/wireguard.ts';
import { path } from '../api.ts';
import { checkedNumber, checkedOrEmpty, clearing } from '../flags.ts';
import { type Columns, formatFacts } from '../format/table.ts';
import type { Open } from '../session.ts';
import { waitCommand } from './wait.ts';

const COLUMNS: Columns<Network> = [
  ['NAME', ({ name }) => name],
  ['VNI', ({ vni }) => vni],
  ['MTU', ({ mtu }) => mtu],
  ['SUBNET', ({ subnet }) => subnet],
  ['FLOOD', ({ flood }) => flood],
  ['TRANSPORT', ({ transport }) => transport],
  ['ANTI-SPOOF', ({ antiSpoof }) => antiSpoof],
  ['REVISION', ({ revision }) => revision],
  ['DESCRIPTION', ({ description }) => description],
];

export function networkCommand(open: Open): Command {
  const command = new Command('network').description('a tenant’s networks, each with its VNI');

  command
    .command('list')
    .description('the tenant’s networks')
    .action(async () => {
      const { api, at, list } = await open();
      list(await api.list(`${at()}/networks`, NetworkSchema), COLUMNS);
    });

  command
    .command('show')
    .description('one network')
    .argument('<network>', 'its name or id', checked(NameSchema))
    .action(async (network: string) => {
      const { api, at, show } = await open();
      show(await api.get(at() + path`/networks/${network}`, NetworkSchema), formatNetwork);
    });

  withSettings(command.command('create'))
    .description('make a network; without --vni it gets the lowest that is free')
    .argument('<name>', 'its name', checked(NameSchema))
    .option('--vni <vni>', 'the VNI to have', checkedNumber(VniSchema))
    .action(async (name: string, settings: object) => {
      const { api, at, show } = await open();
      show(await api.post(`${at()}/networks`, { name, ...clearing(settings) }, NetworkSchema), formatNetwork);
    });

  withSettings(command.command('edit'))
    .description('change a network; what is not named stays, and an empty text takes away what is set')
    .argument('<network>', 'its name or id', checked(NameSchema))
    .option('--name <name>', 'a new name', checked(NameSchema))
    .action(async (network: string, settings: object) => {
      const { api, at, show } = await open();
      show(await api.patch(at() + path`/networks/${network}`, clearing(settings), NetworkSchema), formatNetwork);
    });

  command
    .command('delete')
    .description('delete a network; its VNI rests in quarantine before anyone gets it again')
    .argument('<network>', 'its name or id', checked(NameSchema))
    .action(async (network: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Delete network ${network}? Every site stops carrying it.`);
      await api.delete(at() + path`/networks/${network}`);
      say(`Deleted network ${network}.`);
    });

  return command.addCommand(waitCommand(open));
}

/** The flags' names are the API's fields, so that what commander collects is the body. */
function withSettings(command: Command): Command {
  return command
    .option('--mtu <bytes>', 'what the ports’ interfaces get', checkedNumber(MtuSchema))
    .option('--subnet <prefix>', 'for people: the addresses used in it', checkedOrEmpty(SubnetSchema))
    .option('--description <text>', 'for people', checkedOrEmpty(DescriptionSchema))
    .addOption(new Option('--transport <how>', 'between sites: encrypted by wireguard, or plain').choices(TRANSPORTS))
    .addOption(new Option('--anti-spoof <mode>', 'whose frames are taken').choices(ANTI_SPOOF_MODES))
    .option('--arp-suppression', 'answer ARP at the site, from the table')
    .option('--no-arp-suppression', 'let ARP pass')
    .addOption(new Option('--flood <mode>', 'how frames to all are sent').choices(FLOOD_MODES))
    .option('--multicast-group <ip>', 'with --flood multicast', checkedOrEmpty(MulticastIpSchema));
}

function formatNetwork(network: Network): string {
  return formatFacts([
    ['network', network.name],
    ['id', network.id],
    ['vni', network.vni],
    ['mtu', network.mtu],
    ['subnet', network.subnet],
    ['description', network.description],
    ['flood', network.multicastGroup === undefined ? network.flood : `${network.flood} ${network.multicastGroup}`],
    ['transport', network.transport],
    ['anti-spoof', network.antiSpoof],
    ['arp suppression', network.arpSuppression ? 'on' : 'off'],
    ['revision', network.revision],
    ['created', network.createdAt],
  ]);
}
