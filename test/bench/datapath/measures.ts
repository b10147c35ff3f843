/** What is measured of each contender. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Site } from '../../../demo/lab/site.ts';
import { ADDRESSES } from './contender.ts';
import { DISCARD_PORT } from './discard-port.ts';

const BLAST = fileURLToPath(new URL('./blast.ts', import.meta.url));
const SINK = fileURLToPath(new URL('./sink.ts', import.meta.url));
const TCP_SECONDS = 3;
const BLAST_SECONDS = 0.7;
/** Of what was sent, what may be missing at the other end and still count as none: ARP's first frames. */
const LOSS = 0.001;

export interface Tcp {
  readonly gbitPerSecond: number;
  /** Seconds of all cores together, for each Gbit that arrived. */
  readonly cpuPerGbit: number;
}

/** iperf3 from `a` to `b`, or with `isReverse` the other way. */
export async function tcp(a: Site, b: Site, flows: number, isReverse: boolean): Promise<Tcp> {
  const server = b.spawn(['iperf3', '-s', '-1', '--forceflush']);
  await server.line(/listening/);
  const before = busySeconds();
  const args = [
    '-c',
    ADDRESSES[1],
    '-t',
    String(TCP_SECONDS),
    '-P',
    String(flows),
    '-J',
    '--connect-timeout',
    '5000',
    ...(isReverse ? ['-R'] : []),
  ];
  const said = JSON.parse(await a.exec(['iperf3', ...args])) as IperfAnswer;
  const busy = busySeconds() - before;
  await server.ended;
  const { bits_per_second: rate, seconds } = said.end.sum_received;
  return { gbitPerSecond: rate / 1e9, cpuPerGbit: busy / ((rate * seconds) / 1e9) };
}

interface IperfAnswer {
  readonly end: { readonly sum_received: { readonly bits_per_second: number; readonly seconds: number } };
}

/** The median round trip of 200 pings, a millisecond apart, in microseconds. */
export async function roundTrip(a: Site): Promise<number> {
  const { rttsMs } = await a.ping(ADDRESSES[1], { count: 200, intervalMs: 2 });
  const answered = rttsMs.filter((ms) => ms !== null).toSorted((x, y) => x - y);
  return (answered[answered.length >> 1] ?? Number.NaN) * 1000;
}

/** The highest rate of frames of that size of which none is lost, by halving the interval; in thousands a second. */
export async function smallFrames(a: Site, b: Site, size: number): Promise<number> {
  const sink = b.spawn([process.execPath, SINK]);
  await sink.line(/ready/);
  let low = 0;
  let high = 800_000;
  for (let step = 0; step < 7; step++) {
    const rate = Math.round((low + high) / 2);
    const before = await received(b);
    const argv = [process.execPath, BLAST, ADDRESSES[1], String(size), String(rate), String(BLAST_SECONDS)];
    const { sent, seconds } = JSON.parse(await a.exec(argv)) as { sent: number; seconds: number };
    const arrived = (await settled(b)) - before;
    const isKept = arrived >= sent * (1 - LOSS);
    // A rate that the generator could not reach is no rate that was carried.
    if (isKept) low = Math.max(low, sent / seconds);
    if (!isKept) high = rate;
    else if (sent / seconds < rate * 0.95) break;
    else low = rate;
  }
  await sink.stop();
  return low / 1000;
}

/** How many datagrams came to the sink. */
async function received(site: Site): Promise<number> {
  const port = `:${DISCARD_PORT.toString(16).padStart(4, '0').toUpperCase()}`;
  const line = (await site.exec(['cat', '/proc/net/udp'])).split('\n').find((text) => text.includes(port));
  return Number(line?.trim().split(/\s+/).at(-1) ?? Number.NaN);
}

/** The count once it stands still. */
async function settled(site: Site): Promise<number> {
  let last = await received(site);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = await received(site);
    if (now === last) return now;
    last = now;
  }
}

/** What all cores have worked since the machine started. */
function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/);
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}
