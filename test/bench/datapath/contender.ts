/** What the bench compares: each puts a layer-2 network between two sites, 192.168.50.1 and .2, and takes it away again. */
import type { Site } from '../../../demo/lab/site.ts';
import type { Lab } from '../../../demo/lab.ts';

export const ADDRESSES = ['192.168.50.1', '192.168.50.2'] as const;

export interface Contender {
  readonly name: string;
  /** The name of what it is held against; null for none. */
  readonly against: string | null;
  /** Programs it needs; where one is missing it is left out of the table, and named. */
  readonly needs: readonly string[];
  /** @returns the interfaces that have the addresses, and what takes all away. */
  start(a: Site, b: Site, folder: string, lab: Lab): Promise<Running>;
}

export interface Running {
  readonly devs: readonly [string, string];
  stop(): Promise<void>;
}
