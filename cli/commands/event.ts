import { Command, Option } from 'commander';
import * as v from 'valibot';
import { checked } from '../../shared/checked.ts';
import { EVENT_KINDS, type Event, type EventKind, EventSchema, EventsQuerySchema } from '../../src/contract/events.ts';
import { checkedNumber } from '../flags.ts';
import type { Columns } from '../format/table.ts';
import type { Open } from '../session.ts';

interface ListFlags {
  readonly since?: string;
  readonly kind?: EventKind;
  readonly limit: number;
}

const LIMIT_MESSAGE = 'must be a whole number from 1';
const LimitSchema = v.pipe(v.number(LIMIT_MESSAGE), v.minValue(1, LIMIT_MESSAGE));
const DEFAULT_EVENTS = 50;

const COLUMNS: Columns<Event> = [
  ['AT', ({ at }) => at],
  ['EVENT', ({ kind }) => kind],
  ['WHO', formatActor],
  ['FROM', ({ address }) => address],
  ['WHAT', ({ subject, before, after }) => nameIn(after) ?? nameIn(before) ?? subject],
  ['REVISION', ({ revision }) => revision],
  ['ID', ({ id }) => id],
];

export function eventCommand(open: Open): Command {
  const command = new Command('event').description('what happened: who changed what, and what came by itself');

  withFilter(command.command('list'))
    .description('the tenant’s latest events, newest first; with --since, oldest first from there')
    .action(async (flags: ListFlags) => {
      const { api, at, list } = await open();
      list(await api.list(`${at()}/events`, EventSchema, queryOf(flags), flags.limit), COLUMNS);
    });

  withFilter(command.command('gateway'))
    .description('the same of the gateway itself: tenants as such, and shared pools (the operator’s)')
    .action(async (flags: ListFlags) => {
      const { api, list } = await open();
      list(await api.list('/v1/events', EventSchema, queryOf(flags), flags.limit), COLUMNS);
    });

  return command;
}

function withFilter(command: Command): Command {
  return command
    .option('--since <id|time>', 'after this event, or from this time on', (text) => {
      checked(EventsQuerySchema.entries.since)(text);
      return text;
    })
    .addOption(new Option('--kind <kind>', 'only these').choices(EVENT_KINDS))
    .option('--limit <n>', 'how many at most', checkedNumber(LimitSchema), DEFAULT_EVENTS);
}

function queryOf({ since, kind }: ListFlags): { since?: string; kind?: string; order: string } {
  return {
    ...(since === undefined ? {} : { since }),
    ...(kind === undefined ? {} : { kind }),
    order: since === undefined ? 'newest' : 'oldest',
  };
}

function formatActor({ actor }: Event): string {
  return actor.name === undefined ? actor.kind : `${actor.kind} ${actor.name}`;
}

/** The name that a thing has for people, where it has one. */
function nameIn(thing: unknown): string | undefined {
  const named = v.safeParse(v.object({ name: v.string() }), thing);
  return named.success ? named.output.name : undefined;
}
