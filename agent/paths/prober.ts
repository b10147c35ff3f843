/**
 * Asks every peer what the path to it is like, and answers peers that ask. Clock, timer and the socket are given; times are milliseconds on
 * the machine's clock that never goes back.
 *
 * An answer goes where the table says that the peer takes VXLAN, never to whatever address and port asked: so it proves both ways by the
 * ports that frames take, strangers get none, and it is no larger than the question.
 */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { PeerPath, VtepAddress } from '../datapath/datapath.ts';
import type { HeardProbe } from '../datapath/probe-inbox.ts';
import { PROBE_LENGTH, type Probe } from '../wire/probe.ts';
import { VXLAN_OVERHEAD_IPV4, VXLAN_OVERHEAD_IPV6 } from '../wire/vxlan.ts';
import type { MtuBounds } from './mtu-search.ts';
import { type Ask, PathMeasure } from './path-measure.ts';
import { type PathPeer, PathPeers, peerKey } from './path-peers.ts';

export interface ProbeLink {
  /** Sends at once, followed by zeros up to the probe's size where it is an ask. */
  send(to: VtepAddress, probe: Probe): 'sent' | 'tooBig' | 'failed';
  /** The largest IP packet that can leave towards the underlay; null where that is not known. */
  mtu(): number | null;
}

export interface ProberOptions {
  readonly link: ProbeLink;
  /** Where this site takes VXLAN. */
  readonly port: number;
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** 64 bits that nobody can guess. */
  readonly nonce: () => bigint;
  /** Calls `act` once after `ms` milliseconds, unless the returned function is called first. */
  readonly after: (ms: number, act: () => void) => () => void;
}

interface Peer {
  readonly peer: PathPeer;
  readonly measure: PathMeasure;
  /** As `onChange` was last called for. */
  standing: string;
}

/** At most one ask in so many milliseconds, whatever the number of peers. */
const PACE_MS = 50;
/** A new peer is asked at some moment of its first second. */
const FIRST_MS = 1000;
/** IP and UDP headers. */
const HEADERS_IPV4 = 20 + 8;
const HEADERS_IPV6 = 40 + 8;
/** The largest that any network is set up for, beyond which nobody has to know more. */
const JUMBO = 9216;
const USUAL_MTU = 1500;

export class Prober {
  /** Probes that came from who is not in the table. */
  unlisted = 0;
  /** Called when a path became what it was not. */
  onChange: () => void = () => {};
  readonly #options: ProberOptions;
  readonly #table = new PathPeers();
  #peers = new Map<string, Peer>();
  /** By each address that a peer sends from. */
  #bySource = new Map<string, Peer>();
  #isChanged = false;
  /** What was in force when peers were last made of the table. */
  #mtus = '';
  #cancel = (): void => {};
  #sentAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Takes note of what a table says; in force with the next `inForce`. */
  follow(update: TableUpdate): void {
    if (this.#table.follow(update)) this.#isChanged = true;
  }

  /** @param mtus of the ports that stand, by VNI. */
  inForce(mtus: ReadonlyMap<number, number>): void {
    const { now, random, link } = this.#options;
    const before = this.#peers;
    const mtu = link.mtu();
    const wereMtus = this.#mtus;
    this.#mtus = [mtu, ...mtus].join();
    if (!this.#isChanged && this.#mtus === wereMtus) return;
    this.#isChanged = false;
    this.#peers = new Map();
    this.#bySource = new Map();
    for (const [key, peer] of this.#table.peers(mtus)) {
      const bounds = boundsOf(peer, mtu);
      const old = before.get(key);
      const measure = old?.measure ?? new PathMeasure(bounds, now(), FIRST_MS * random());
      measure.setBounds(bounds);
      const known = { peer, measure, standing: old?.standing ?? measure.standing };
      this.#peers.set(key, known);
      for (const address of [peer.address, ...peer.also]) this.#bySource.set(peerKey(address, peer.port), known);
    }
    this.#wait();
  }

  heard({ probe, source, at }: HeardProbe): void {
    if (this.#stopped) return;
    const known = this.#bySource.get(peerKey(source, probe.port));
    if (known === undefined) {
      this.unlisted++;
      return;
    }
    const { peer, measure } = known;
    measure.heard(at);
    if (probe.kind === 'answer') measure.answered(probe.nonce, at, probe.heldMicros / 1000);
    else {
      const { link, port, now } = this.#options;
      const heldMicros = Math.min(2 ** 32 - 1, Math.max(0, Math.round((now() - at) * 1000)));
      link.send(peer, { ...probe, kind: 'answer', port, heldMicros });
    }
    this.#look(known);
    this.#wait();
  }

  paths(): PeerPath[] {
    const now = this.#options.now();
    return [...this.#peers.values()].map(({ peer, measure }) => {
      const { site, address, port } = peer;
      return { site, transport: 'plain', address, port, overhead: overheadOf(peer), ...measure.figures(now) };
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #look(known: Peer): void {
    const { standing } = known.measure;
    if (standing === known.standing) return;
    known.standing = standing;
    this.onChange();
  }

  #wait(): void {
    this.#cancel();
    if (this.#stopped || this.#peers.size === 0) return;
    const { now, after } = this.#options;
    let due = Number.POSITIVE_INFINITY;
    for (const { measure } of this.#peers.values()) due = Math.min(due, measure.dueAt);
    const time = now();
    this.#cancel = after(Math.max(0, due - time, this.#sentAt + PACE_MS - time), () => this.#turn());
  }

  /** One ask: of whoever has waited longest. */
  #turn(): void {
    const time = this.#options.now();
    let next: { readonly known: Peer; readonly ask: Ask } | null = null;
    let since = Number.POSITIVE_INFINITY;
    for (const known of this.#peers.values()) {
      const { dueAt } = known.measure;
      if (dueAt > time) continue;
      const ask = known.measure.next(time);
      this.#look(known);
      if (ask === null || dueAt >= since) continue;
      since = dueAt;
      next = { known, ask };
    }
    if (next !== null) this.#ask(next.known, next.ask, time);
    this.#wait();
  }

  #ask({ peer, measure }: Peer, ask: Ask, time: number): void {
    const { link, nonce, port, random, now } = this.#options;
    const probe: Probe = { kind: 'ask', size: ask.size - headersOf(peer), nonce: nonce(), port, heldMicros: 0 };
    this.#sentAt = time;
    measure.sent(ask, probe.nonce, now(), random());
    if (link.send(peer, probe) === 'tooBig') measure.tooBig(probe);
  }
}

function boundsOf(peer: PathPeer, mtu: number | null): MtuBounds {
  const wanted = peer.innerMtu + overheadOf(peer);
  const smallest = PROBE_LENGTH + headersOf(peer);
  const ceiling = Math.max(smallest, Math.min(mtu ?? Math.max(wanted, USUAL_MTU), Math.max(wanted, JUMBO)));
  return { smallest, needed: Math.min(wanted, ceiling), ceiling };
}

function overheadOf(peer: VtepAddress): number {
  return isIpv6(peer) ? VXLAN_OVERHEAD_IPV6 : VXLAN_OVERHEAD_IPV4;
}

function headersOf(peer: VtepAddress): number {
  return isIpv6(peer) ? HEADERS_IPV6 : HEADERS_IPV4;
}

function isIpv6({ address }: VtepAddress): boolean {
  return address.includes(':');
}
