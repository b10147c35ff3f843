import { Command } from 'commander';
import { checked } from '../../shared/checked.ts';
import { PathsSchema } from '../../src/contract/paths.ts';
import type { PortSpec } from '../../src/contract/port.ts';
import { NameSchema, TitleSchema, UdpPortSchema, UnicastIpSchema, VXLAN_PORT } from '../../src/contract/primitives.ts';
import { AttachmentSchema, SiteSchema } from '../../src/contract/sites.ts';
import { path } from '../api.ts';
import { checkedNumber, checkedOrEmpty, clearing, collectLabel, PORT_HELP, parsePort } from '../flags.ts';
import { formatPaths } from '../format/paths.ts';
import { formatAttachment, formatSite, siteColumns } from '../format/site.ts';
import type { Open } from '../session.ts';

interface PlaceFlags {
  readonly label?: Readonly<Record<string, string>>;
  readonly where?: string;
}

interface AddFlags extends PlaceFlags {
  readonly static?: true;
  readonly vtepAddress: string;
  readonly vtepPort: number;
}

interface EditFlags extends PlaceFlags {
  readonly name?: string;
  readonly vtepAddress?: string;
  readonly vtepPort?: number;
}

export function siteCommand(open: Open): Command {
  const command = new Command('site').description('a tenant’s sites, and which networks they carry');

  command
    .command('list')
    .description('the tenant’s sites, and how each stands')
    .action(async () => {
      const { api, at, list } = await open();
      list(await api.list(`${at()}/sites`, SiteSchema), siteColumns(Date.now()));
    });

  withSite(command.command('show'))
    .description('one site, and how far it is with each network')
    .action(async (site: string) => {
      const { api, at, show } = await open();
      show(await api.get(at() + path`/sites/${site}`, SiteSchema), (one) => formatSite(one, Date.now()));
    });

  withSite(command.command('paths'))
    .description('what the paths between a site and its peers are like, as each end sees them')
    .action(async (site: string) => {
      const { api, at, show } = await open();
      show(await api.get(at() + path`/sites/${site}/paths`, PathsSchema), ({ items }) => formatPaths(items));
    });

  withPlace(command.command('add'))
    .description('add a site that has no agent: a switch, a kernel VTEP, another system’s host')
    .argument('<name>', 'its name', checked(NameSchema))
    .requiredOption('--static', 'that it has no agent; one with an agent comes by overlane token create')
    .requiredOption('--vtep-address <ip>', 'where it takes VXLAN', checked(UnicastIpSchema))
    .option('--vtep-port <port>', 'the UDP port of it', checkedNumber(UdpPortSchema), VXLAN_PORT)
    .action(async (name: string, { vtepAddress, vtepPort, ...flags }: AddFlags) => {
      const { api, at, show } = await open();
      const vtep = { address: vtepAddress, port: vtepPort };
      const body = { name, kind: 'static', vtep, ...placeOf(flags) };
      show(await api.post(`${at()}/sites`, body, SiteSchema), (one) => formatSite(one, Date.now()));
    });

  withPlace(withSite(command.command('edit')))
    .description('change a site; what is not named stays, but labels are replaced as a whole')
    .option('--name <name>', 'a new name', checked(NameSchema))
    .option('--vtep-address <ip>', 'where it takes VXLAN', checked(UnicastIpSchema))
    .option('--vtep-port <port>', 'the UDP port, with --vtep-address', checkedNumber(UdpPortSchema))
    .action(async (site: string, { name, vtepAddress, vtepPort, ...flags }: EditFlags) => {
      const { api, at, show } = await open();
      const body = {
        ...(name === undefined ? {} : { name }),
        ...(vtepAddress === undefined && vtepPort === undefined
          ? {}
          : { vtep: { address: vtepAddress, port: vtepPort } }),
        ...placeOf(flags),
      };
      show(await api.patch(at() + path`/sites/${site}`, body, SiteSchema), (one) => formatSite(one, Date.now()));
    });

  withSite(command.command('disable'))
    .description('refuse its agent and let its peers forget it, until it is enabled')
    .action(async (site: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Disable site ${site}? Its peers stop sending to it.`);
      await api.patch(at() + path`/sites/${site}`, { disabled: true }, SiteSchema);
      say(`Disabled site ${site}.`);
    });

  withSite(command.command('enable'))
    .description('take back disable')
    .action(async (site: string) => {
      const { api, at, say } = await open();
      await api.patch(at() + path`/sites/${site}`, { disabled: false }, SiteSchema);
      say(`Enabled site ${site}.`);
    });

  withSite(command.command('delete'))
    .description('delete a site; its agent is refused from then on')
    .action(async (site: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Delete site ${site}? It can come back only by joining anew.`);
      await api.delete(at() + path`/sites/${site}`);
      say(`Deleted site ${site}.`);
    });

  withSite(command.command('attach'))
    .description('let a site carry a network, or change its port there')
    .argument('<network>', 'the network’s name or id', checked(NameSchema))
    .option('--port <port>', `where it comes out on the site’s host: ${PORT_HELP}`, parsePort, { type: 'none' })
    .action(async (site: string, network: string, { port }: { readonly port: PortSpec }) => {
      const { api, at, show } = await open();
      const target = at() + path`/sites/${site}/networks/${network}`;
      show(await api.put(target, { port }, AttachmentSchema), (made) => formatAttachment(made, site, network));
    });

  withSite(command.command('detach'))
    .description('let a site no longer carry a network')
    .argument('<network>', 'the network’s name or id', checked(NameSchema))
    .action(async (site: string, network: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Detach site ${site} from network ${network}?`);
      await api.delete(at() + path`/sites/${site}/networks/${network}`);
      say(`Detached site ${site} from network ${network}.`);
    });

  return command;
}

function withSite(command: Command): Command {
  return command.argument('<site>', 'the site’s name or id', checked(NameSchema));
}

function withPlace(command: Command): Command {
  return command
    .option('--label <name=value>', 'a label; repeatable', collectLabel)
    .option('--where <text>', 'for people: where it is', checkedOrEmpty(TitleSchema));
}

function placeOf({ label, where }: PlaceFlags): object {
  return { ...(label === undefined ? {} : { labels: label }), ...(where === undefined ? {} : clearing({ where })) };
}
