/** The gateway as this site reaches it: its name, its answer, its clock. */
import { lookup } from 'node:dns/promises';
import { reasonOf } from '../../shared/failure.ts';
import type { GatewayClient } from '../control/client.ts';
import type { Finding } from './finding.ts';

/** Agents correct their clock by the gateway's, but certificates and logs go by the host's. */
const CLOCK_WARN_MS = 5000;

export interface GatewayOptions {
  readonly origin: string;
  readonly client: GatewayClient;
  /** Of the table that is held, or null. */
  readonly cursor: string | null;
  /** How far the gateway's clock is ahead of this host's by its last answer, in milliseconds. */
  readonly clockAheadMs: () => number;
}

export async function checkGateway({ origin, client, cursor, clockAheadMs }: GatewayOptions): Promise<Finding[]> {
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  const named = await lookup(host).then(
    ({ address }): Finding => ({ check: 'DNS', verdict: 'pass', says: `${host} is ${address}` }),
    (error: unknown): Finding => {
      const todo = 'mend this host’s resolver (/etc/resolv.conf), or the name';
      return { check: 'DNS', verdict: 'fail', says: `${host} is not found: ${reasonOf(error)}`, todo };
    },
  );
  if (named.verdict === 'fail') return [named];
  const answer = await client.pull(cursor);
  if (answer.kind === 'unavailable') {
    const todo = 'is the gateway up, and HTTPS to it let through? A certificate of your own is trusted by --ca';
    return [named, { check: 'gateway', verdict: 'fail', says: `${origin} does not answer: ${answer.reason}`, todo }];
  }
  if (answer.kind === 'refused') {
    const todo = answer.code === 'site_disabled' ? 'have an admin enable it' : 'was the site deleted? Then join again';
    const says = `${origin} refuses this site: ${answer.code}: ${answer.detail}`;
    return [named, { check: 'gateway', verdict: 'fail', says, todo }, clock(clockAheadMs())];
  }
  const news = answer.kind === 'updated' && cursor !== null ? ', with news' : '';
  return [
    named,
    { check: 'gateway', verdict: 'pass', says: `${origin} knows this site${news}` },
    clock(clockAheadMs()),
  ];
}

function clock(aheadMs: number): Finding {
  if (Math.abs(aheadMs) < CLOCK_WARN_MS) return { check: 'clock', verdict: 'pass', says: 'it goes with the gateway’s' };
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const says = `this host’s clock is ${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the gateway’s`;
  return { check: 'clock', verdict: 'warn', says, todo: 'set it, by NTP: certificates and logs go by it' };
}
