/** The gateway's own application over a store that is counted. */
import type { D1Database } from '@cloudflare/workers-types';
import { readConfig } from '../../../src/config.ts';
import { startGateway } from '../../../src/hosts/node/start-gateway.ts';
import { keepHouse } from '../../../src/housekeeping.ts';
import type { Reachable } from '../../gateway/host.ts';
import { countedStore, type Rows } from './counted-store.ts';

export interface CountedGateway extends Reachable {
  readonly keepHouse: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** The store itself, to fill. */
  readonly store: D1Database;
  /** Counts the rows of one call, with what it leaves to be done after its answer. */
  readonly count: <T>(act: () => Promise<T>) => Promise<{ readonly result: T; readonly rows: Rows }>;
}

const SETTLING_MS = 200;
const OPERATOR_KEY = 'the-operator-key-of-the-registry-bench';

/** @param d1 with all tables; it stays open. Absent: a store in memory, which counts what it can. */
export async function startCountedGateway(d1?: D1Database): Promise<CountedGateway> {
  let take = (): Rows => ({ read: 0, written: 0 });
  let store = d1;
  const running = await startGateway({
    config: readConfig({ OVERLANE_OPERATOR_KEY: OPERATOR_KEY }),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
    watchStore: (own) => {
      store ??= own;
      const counted = countedStore(store);
      take = counted.take;
      return counted.d1;
    },
  });
  // Nothing says when what comes after an answer is done. Only D1's counts are true, so only they are waited for.
  const settled = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, d1 === undefined ? 0 : SETTLING_MS));
  return {
    url: running.url,
    store: store!,
    operatorKey: OPERATOR_KEY,
    keepHouse: () => keepHouse(running.gateway),
    close: running.close,
    count: async (act) => {
      await settled();
      take();
      const result = await act();
      await settled();
      return { result, rows: take() };
    },
  };
}
