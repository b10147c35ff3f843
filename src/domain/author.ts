import type { Actor } from '../contract/events.ts';

/** Who makes a change, from where, and when: what the change's event says of it. */
export interface Author {
  readonly actor: Actor;
  /** The IP address and the id of the request; null where there was none. */
  readonly address: string | null;
  readonly requestId: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}
