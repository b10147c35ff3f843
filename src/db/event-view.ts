import { type Event, formatEventId } from '../contract/events.ts';
import type { EventRow } from './events.ts';

export function eventIdOf({ at, id }: EventRow): string {
  return formatEventId({ at, number: id });
}

/** @returns the event as the API shows it. */
export function toEvent(row: EventRow): Event {
  return {
    id: eventIdOf(row),
    at: new Date(row.at).toISOString(),
    kind: row.kind,
    revision: row.revision,
    actor: row.actor,
    ...(row.address === null ? {} : { address: row.address }),
    ...(row.requestId === null ? {} : { requestId: row.requestId }),
    subject: row.subject,
    ...(row.before === null ? {} : { before: row.before }),
    ...(row.after === null ? {} : { after: row.after }),
  };
}
