import { Command, Option } from 'commander';
import { checked } from '../../shared/checked.ts';
import { NameSchema, TitleSchema } from '../../src/contract/primitives.ts';
import { type ApiKey, ApiKeyCreatedSchema, ApiKeySchema, ROLES, type Role } from '../../src/contract/tenants.ts';
import { path } from '../api.ts';
import { parseDuration } from '../flags.ts';
import { type Columns, formatFacts } from '../format/table.ts';
import type { Open } from '../session.ts';

interface CreateFlags {
  readonly role: Role;
  readonly expiresIn?: number;
}

const COLUMNS: Columns<ApiKey> = [
  ['ID', ({ id }) => id],
  ['NAME', ({ name }) => name],
  ['ROLE', ({ role }) => role],
  ['EXPIRES', ({ expiresAt }) => expiresAt ?? 'never'],
  ['CREATED', ({ createdAt }) => createdAt],
];

export function keyCommand(open: Open): Command {
  const command = new Command('key').description('a tenant’s API keys (the operator’s to give)');

  command
    .command('list')
    .description('the tenant’s keys, without the secret parts')
    .action(async () => {
      const { api, at, list } = await open();
      list(await api.list(`${at()}/api-keys`, ApiKeySchema), COLUMNS);
    });

  command
    .command('create')
    .description('make a key; it is shown this once')
    .argument('<name>', 'whose it is, or what for', checked(TitleSchema))
    .addOption(new Option('--role <role>', 'an admin changes things, a viewer reads').choices(ROLES).default('admin'))
    .option('--expires-in <time>', 'such as 90d; never unless said', parseDuration)
    .action(async (name: string, { role, expiresIn }: CreateFlags) => {
      const { api, at, show } = await open();
      const body = { name, role, ...(expiresIn === undefined ? {} : { expiresAt: timeIn(expiresIn) }) };
      show(await api.post(`${at()}/api-keys`, body, ApiKeyCreatedSchema), (made) =>
        formatFacts([
          ['key', made.key],
          ['id', made.id],
          ['role', made.role],
          ['expires', made.expiresAt ?? 'never'],
        ]).concat('\n\nThis is the only time the key is shown.'),
      );
    });

  command
    .command('revoke')
    .description('end a key at once')
    .argument('<id>', 'the key’s id', checked(NameSchema))
    .action(async (id: string) => {
      const { api, at, confirm, say } = await open();
      await confirm(`Revoke key ${id}? Whoever uses it is refused from then on.`);
      await api.delete(at() + path`/api-keys/${id}`);
      say(`Revoked key ${id}.`);
    });

  return command;
}

function timeIn(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}
