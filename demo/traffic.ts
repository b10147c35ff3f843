/** The traffic of the demo, and what it proves. */
import type { PingResult, TransferResult } from './probes/protocol.ts';
import { overlayAddress, type SiteName, type World } from './world.ts';

const PINGS = 10;
const TRANSFER_BYTES = 20_000_000;
/** Long enough for an ARP request and its answer many times over. */
const NO_ANSWER_MS = 300;
const BLUE: readonly SiteName[] = ['oslo', 'lima', 'kyoto'];

export interface PairPing {
  readonly from: SiteName;
  readonly to: SiteName;
  readonly ping: PingResult;
}

/** Every blue site pings every other. @throws Error where an answer is missing. */
export async function pingAllPairs({ sites }: World): Promise<readonly PairPing[]> {
  const pairs: PairPing[] = [];
  for (const from of BLUE) {
    for (const to of BLUE.filter((name) => name !== from)) {
      const ping = await sites[from].ping(overlayAddress(to), { count: PINGS });
      pairs.push({ from, to, ping });
      if (ping.received < ping.sent) {
        throw new Error(`blue: ${from} → ${to}: ${ping.sent - ping.received} of ${ping.sent} pings got no answer`);
      }
    }
  }
  return pairs;
}

/** @throws Error where what arrived is not what was sent. */
export function transferAcross({ sites }: World): Promise<TransferResult> {
  return sites.oslo.transfer(sites.lima, overlayAddress('lima'), TRANSFER_BYTES);
}

export interface Isolation {
  readonly pings: number;
  readonly answers: number;
  /** Quito's frames: on green's other end, where they belong, and on all ends of blue, where they don't. */
  readonly framesOnGreen: number;
  readonly framesOnBlue: number;
}

/**
 * Quito, which is in green only, pings the addresses of blue, which are of the same subnet, while all ports are watched.
 * @throws Error where a frame crossed, or none was to be seen where it belongs (then the proof would be empty).
 */
export async function proveIsolation({ sites }: World): Promise<Isolation> {
  const mac = Buffer.from(String((await sites.quito.link('green0')).address).replaceAll(':', ''), 'hex');
  const green = await sites.kyoto.sniff('green0', { contains: mac });
  const blue = await Promise.all(BLUE.map((name) => sites[name].sniff('blue0', { contains: mac })));
  const pings = await Promise.all(
    BLUE.map((name) => sites.quito.ping(overlayAddress(name), { count: 3, timeoutMs: NO_ANSWER_MS })),
  );
  const framesOnGreen = (await green.stop()).length;
  const framesOnBlue = (await Promise.all(blue.map((each) => each.stop()))).flat().length;
  const answers = pings.reduce((sum, { received }) => sum + received, 0);
  if (framesOnGreen === 0) throw new Error('isolation: quito’s frames did not reach the other end of green');
  if (framesOnBlue > 0 || answers > 0) {
    throw new Error(`isolation: ${framesOnBlue} of quito’s frames reached blue, ${answers} pings were answered`);
  }
  return { pings: pings.reduce((sum, { sent }) => sum + sent, 0), answers, framesOnGreen, framesOnBlue };
}

/** From here on something passes until the demo ends, so that there is something to look at. */
export function keepTalking({ sites }: World): void {
  for (const [from, to] of [
    ['oslo', 'lima'],
    ['lima', 'kyoto'],
    ['kyoto', 'oslo'],
  ] as const) {
    sites[from].startPing(overlayAddress(to), { intervalMs: 20, size: 1200 }).result.catch(() => undefined);
  }
}
