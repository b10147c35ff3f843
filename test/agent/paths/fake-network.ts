/** Probers on a network in memory with a clock of its own: each datagram takes its time, or is lost. */
import type { PeerPath, VtepAddress } from '../../../agent/datapath/datapath.ts';
import { type ProbeLink, Prober } from '../../../agent/paths/prober.ts';
import { PROBE_LENGTH, type Probe } from '../../../agent/wire/probe.ts';
import { snapshot, table } from '../datapath/overlay.ts';

interface Event {
  readonly at: number;
  readonly act: () => void;
}

export interface Passage {
  readonly from: string;
  readonly to: string;
  readonly probe: Probe;
  /** In bytes of IP packet. */
  readonly size: number;
}

export class FakeNetwork {
  now = 0;
  /** How long a datagram takes, in milliseconds; null: it is lost. */
  passage: (passage: Passage) => number | null = () => 5;
  /** For how long what arrived waits for its prober's turn. */
  busyMs = 0;
  /** All that was sent. */
  readonly sent: (Passage & { readonly at: number })[] = [];
  readonly #probers = new Map<string, Prober>();
  #events: Event[] = [];
  #nonces = 0n;

  /** @param peers by site, their addresses. */
  prober(address: string, peers: Readonly<Record<string, string>>, mtu: number | null = 1500): Prober {
    const prober = new Prober({
      link: { send: (to, probe) => this.#send(address, to, probe, mtu), mtu: () => mtu } satisfies ProbeLink,
      port: 4789,
      now: () => this.now,
      random: () => 0.5,
      nonce: () => ++this.#nonces,
      after: (ms, act) => this.#after(ms, act),
    });
    this.#probers.set(address, prober);
    prober.follow(snapshot(table(9, { vteps: peers })));
    prober.inForce(new Map([[9, 1450]]));
    return prober;
  }

  /** Lets so much time pass. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.#events.reduce<Event | null>(
        (best, it) => (best === null || it.at < best.at ? it : best),
        null,
      );
      if (next === null || next.at > until) break;
      this.#events = this.#events.filter((it) => it !== next);
      this.now = Math.max(this.now, next.at);
      next.act();
    }
    this.now = until;
  }

  #after(ms: number, act: () => void): () => void {
    const event = { at: this.now + ms, act };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter((it) => it !== event);
    };
  }

  #send(from: string, { address: to }: VtepAddress, probe: Probe, mtu: number | null): 'sent' | 'tooBig' {
    const headers = to.includes(':') ? 48 : 28;
    const size = headers + (probe.kind === 'ask' ? probe.size : PROBE_LENGTH);
    if (mtu !== null && size > mtu) return 'tooBig';
    this.sent.push({ from, to, probe, size, at: this.now });
    const ms = this.passage({ from, to, probe, size });
    if (ms !== null) {
      const at = this.now + ms;
      this.#after(ms + this.busyMs, () => this.#probers.get(to)?.heard({ probe, source: from, at }));
    }
    return 'sent';
  }
}

export function pathTo(prober: Prober, address: string): PeerPath {
  const path = prober.paths().find((it) => it.address === address);
  if (path === undefined) throw new Error(`no path to ${address}`);
  return path;
}
