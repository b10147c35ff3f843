import { Command, Option } from 'commander';
import { checked } from '../../shared/checked.ts';
import { NameSchema, TitleSchema } from '../../src/contract/primitives.ts';
import {
  type ApiKey,
  type ApiKeyCreated,
  ApiKeyCreatedSchema,
  ApiKeySchema,
  ROLES,
  type Role,
} from '../../src/contract/tenants.ts';
import { path } from '../api.ts';
import { parseDuration } from '../flags.ts';
import { type Columns, formatFacts } from '../format/table.ts';
import type { Open } from '../session.ts';

interface CreateFlags {
  readonly role: Role;
  readonly expiresIn?: number;
}

const DEFAULT_OVERLAP_SECONDS = 24 * 3600;

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
      show(await api.post(`${at()}/api-keys`, body, ApiKeyCreatedSchema), formatCreated);
    });

  command
    .command('rotate')
    .description('make a key like another, which ends after a while; the new one is shown this once')
    .argument('<id>', 'the old key’s id', checked(NameSchema))
    .option(
      '--overlap <time>',
      'how long the old key still works (default: 24h)',
      parseDuration,
      DEFAULT_OVERLAP_SECONDS,
    )
    .action(async (id: string, { overlap }: { readonly overlap: number }) => {
      const { api, at, show } = await open();
      const target = at() + path`/api-keys/${id}/rotate`;
      show(await api.post(target, { overlapSeconds: overlap }, ApiKeyCreatedSchema), formatCreated);
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

function formatCreated({ key, id, role, expiresAt }: ApiKeyCreated): string {
  const facts = formatFacts([
    ['key', key],
    ['id', id],
    ['role', role],
    ['expires', expiresAt ?? 'never'],
  ]);
  return `${facts}\n\nThis is the only time the key is shown.`;
}

function timeIn(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}
