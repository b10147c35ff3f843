import { Command } from 'commander';
import { checked } from '../../shared/checked.ts';
import { formatPort } from '../../shared/format-port.ts';
import {
  DEFAULT_TOKEN_SECONDS,
  type JoinToken,
  JoinTokenCreatedSchema,
  JoinTokenSchema,
  MaxUsesSchema,
} from '../../src/contract/join-tokens.ts';
import { NameSchema, TitleSchema } from '../../src/contract/primitives.ts';
import { path } from '../api.ts';
import {
  checkedNumber,
  collectLabel,
  collectNetworkPort,
  type NetworkPort,
  PORT_HELP,
  parseDuration,
} from '../flags.ts';
import { formatJoinCommand } from '../format/join-command.ts';
import { type Columns, formatFacts, formatLabels } from '../format/table.ts';
import type { Open } from '../session.ts';

interface CreateFlags {
  readonly uses: number;
  readonly expiresIn: number;
  readonly network?: readonly NetworkPort[];
  readonly label?: Readonly<Record<string, string>>;
}

const COLUMNS: Columns<JoinToken> = [
  ['ID', ({ id }) => id],
  ['NAME', ({ name }) => name],
  ['USES', ({ uses, maxUses }) => `${uses} of ${maxUses}`],
  ['EXPIRES', ({ expiresAt }) => expiresAt],
  ['NETWORKS', ({ networks }) => networks.length],
  ['LABELS', ({ labels }) => formatLabels(labels)],
];

export function tokenCommand(open: Open): Command {
  const command = new Command('token').description('join tokens, by which sites enrol');

  command
    .command('list')
    .description('the tenant’s join tokens, without the secret parts')
    .action(async () => {
      const { api, at, list } = await open();
      list(await api.list(`${at()}/join-tokens`, JoinTokenSchema), COLUMNS);
    });

  command
    .command('show')
    .description('one join token, without the secret part')
    .argument('<id>', 'the token’s id', checked(NameSchema))
    .action(async (id: string) => {
      const { api, at, show } = await open();
      show(await api.get(at() + path`/join-tokens/${id}`, JoinTokenSchema), formatToken);
    });

  command
    .command('create')
    .description('make a join token; it is shown this once, in the command to paste at the site')
    .argument('[name]', 'what it is for', checked(TitleSchema))
    .option('--uses <n>', 'how many sites may join with it', checkedNumber(MaxUsesSchema), 1)
    .option('--expires-in <time>', 'such as 90m, 24h or 7d (default: 24h)', parseDuration, DEFAULT_TOKEN_SECONDS)
    .option(
      '--network <network=port>',
      `attach the sites to it; the port is ${PORT_HELP}; repeatable`,
      collectNetworkPort,
    )
    .option('--label <name=value>', 'label the sites; repeatable', collectLabel)
    .action(async (name: string | undefined, { uses, expiresIn, network, label }: CreateFlags) => {
      const { api, at, show, settings } = await open();
      const body = {
        ...(name === undefined ? {} : { name }),
        maxUses: uses,
        expiresInSeconds: expiresIn,
        ...(network === undefined ? {} : { networks: network }),
        ...(label === undefined ? {} : { labels: label }),
      };
      show(await api.post(`${at()}/join-tokens`, body, JoinTokenCreatedSchema), (made) =>
        [
          formatToken(made),
          '',
          'This is the only time the token is shown. At each site, as root:',
          '',
          `  ${formatJoinCommand(settings, made.token)}`,
          '  overlane-agent run',
        ].join('\n'),
      );
    });

  command
    .command('revoke')
    .description('end a join token; sites that joined with it stay')
    .argument('<id>', 'the token’s id', checked(NameSchema))
    .action(async (id: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Revoke join token ${id}? No more sites can join with it.`);
      await api.delete(at() + path`/join-tokens/${id}`);
      say(`Revoked join token ${id}.`);
    });

  return command;
}

function formatToken({ id, name, uses, maxUses, expiresAt, networks, labels }: JoinToken): string {
  return formatFacts([
    ['token', id],
    ['name', name],
    ['uses', `${uses} of ${maxUses}`],
    ['expires', expiresAt],
    ...networks.map(({ network, port }) => ['attaches to', `${network} at ${formatPort(port)}`] as const),
    ['labels', Object.keys(labels).length === 0 ? undefined : formatLabels(labels)],
  ]);
}
