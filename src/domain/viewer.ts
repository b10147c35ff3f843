/** Somebody who looks at a tenant over a socket, and what has been told to them: kept by the socket itself. */
import type { EventPosition } from '../contract/events.ts';

/** What they are let in by: while it is good they are told. */
export interface Credential {
  readonly kind: 'session' | 'key';
  readonly id: string;
}

export interface ViewerState {
  /** Null: the operator's own key. */
  readonly credential: Credential | null;
  /** Whose it is: the id of a key or a member, or `operator`. One has sessions as many as they like. */
  readonly by: string;
  /** Up to which revision and which event they were told; null until they were greeted. */
  readonly told: { readonly revision: number; readonly event: EventPosition } | null;
}
