/**
 * An underlay in memory, for tests and simulations: a fabric that carries datagrams between the VTEPs opened on it, at once and in
 * order. A queued datagram is read from the sender's memory when it is flushed, as the kernel would.
 */
import { parseIp } from '../../src/contract/ip.ts';
import { AF_INET6, readSockaddrWords, SOCKADDR_SIZE, writeSockaddr } from '../sys/sockaddr.linux.ts';
import { CE, ECN_MASK, NOT_ECT } from '../wire/ecn.ts';
import type { DatagramBatch, PacketMemory } from '../wire/packet-batch.ts';
import type { SendFailure, Underlay } from './underlay.ts';

/** The IP and UDP headers, which count against the fabric's MTU. */
const HEADERS_IPV4 = 20 + 8;
const HEADERS_IPV6 = 40 + 8;

export interface Datagram {
  readonly from: string;
  readonly to: string;
  readonly toPort: number;
  readonly lane: number;
  readonly trafficClass: number;
  readonly payload: Uint8Array;
}

interface Arrived {
  readonly from: string;
  readonly trafficClass: number;
  readonly payload: Uint8Array;
  /** Where it is several: see `DatagramBatch`. */
  readonly segmentSize?: number;
}

interface Destination {
  readonly address: string;
  readonly port: number;
  users: number;
}

interface Queued {
  readonly offset: number;
  readonly length: number;
  readonly destination: number;
  readonly lane: number;
  readonly trafficClass: number;
  readonly tag: number;
}

export interface InMemoryUnderlayOptions {
  /** Where the datagrams lie that are sent. */
  readonly memory: PacketMemory;
  readonly address: string;
  readonly port: number;
  /** How many datagrams may be queued between two flushes; more are `busy`. */
  readonly queueCapacity?: number;
}

export class InMemoryFabric {
  /** In bytes of IP packet. */
  readonly mtu: number;
  /** True: it is congested, and says so in what can bear a mark (RFC 3168 §5). */
  isCongested = false;
  /** Every datagram that was carried, the oldest first. */
  readonly carried: Datagram[] = [];
  readonly #inboxes = new Map<string, Arrived[]>();

  constructor(mtu = 65_535) {
    this.mtu = mtu;
  }

  open(options: InMemoryUnderlayOptions): InMemoryUnderlay {
    const inbox: Arrived[] = [];
    this.#inboxes.set(keyOf(options.address, options.port), inbox);
    return new InMemoryUnderlay(this, inbox, options);
  }

  /** @returns why the datagram was not carried, or null. */
  carry(datagram: Datagram): SendFailure | null {
    const headers = datagram.to.includes(':') ? HEADERS_IPV6 : HEADERS_IPV4;
    if (datagram.payload.length + headers > this.mtu) return 'tooBig';
    const inbox = this.#inboxes.get(keyOf(datagram.to, datagram.toPort));
    if (inbox === undefined) return 'unreachable';
    this.carried.push(datagram);
    const isMarked = this.isCongested && (datagram.trafficClass & ECN_MASK) !== NOT_ECT;
    inbox.push(isMarked ? { ...datagram, trafficClass: datagram.trafficClass | CE } : datagram);
    return null;
  }

  leave(address: string, port: number): void {
    this.#inboxes.delete(keyOf(address, port));
  }
}

export class InMemoryUnderlay implements Underlay {
  readonly address: string;
  readonly port: number;
  readonly #fabric: InMemoryFabric;
  readonly #inbox: Arrived[];
  readonly #memory: PacketMemory;
  readonly #queueCapacity: number;
  readonly #destinations: Destination[] = [];
  readonly #sockaddr = new DataView(new ArrayBuffer(SOCKADDR_SIZE));
  #queue: Queued[] = [];

  /** Made by `InMemoryFabric.open`. */
  constructor(fabric: InMemoryFabric, inbox: Arrived[], options: InMemoryUnderlayOptions) {
    this.#fabric = fabric;
    this.#inbox = inbox;
    this.#memory = options.memory;
    this.#queueCapacity = options.queueCapacity ?? Number.POSITIVE_INFINITY;
    this.address = options.address;
    this.port = options.port;
  }

  /** How many destinations are in use. */
  get destinationCount(): number {
    return this.#destinations.filter(({ users }) => users > 0).length;
  }

  addDestination(address: string, port: number): number {
    if (address.includes(':') !== this.address.includes(':')) return -1;
    const known = this.#destinations.findIndex((it) => it.users > 0 && it.address === address && it.port === port);
    if (known >= 0) {
      this.#destinations[known]!.users++;
      return known;
    }
    const free = this.#destinations.findIndex(({ users }) => users === 0);
    const destination = free >= 0 ? free : this.#destinations.length;
    this.#destinations[destination] = { address, port, users: 1 };
    return destination;
  }

  removeDestination(destination: number): void {
    const known = this.#destinations[destination];
    if (known === undefined || known.users === 0) throw new RangeError(`destination ${destination} is not in use`);
    known.users--;
  }

  /**
   * Somebody else on the fabric sends here, from any address.
   * @param segmentSize of each but the last, where it is several that a kernel put together.
   */
  inject(from: string, payload: Uint8Array, trafficClass = 0, segmentSize = payload.length): void {
    this.#inbox.push({ from, payload: payload.slice(), trafficClass, segmentSize });
  }

  receive(batch: DatagramBatch): number {
    const arrived = this.#inbox.splice(0, batch.capacity);
    for (const [i, { from, payload, trafficClass, segmentSize }] of arrived.entries()) {
      batch.bytes.set(payload, batch.offset[i]!);
      batch.length[i] = payload.length;
      batch.segmentSize[i] = segmentSize ?? payload.length;
      batch.trafficClass[i] = trafficClass;
      writeSockaddr(this.#sockaddr, 0, AF_INET6, parseIp(from)!, 0);
      readSockaddrWords(this.#sockaddr, 0, batch.source, i * 4);
    }
    batch.count = arrived.length;
    return arrived.length;
  }

  send(offset: number, length: number, destination: number, lane: number, trafficClass: number, tag: number): void {
    this.#queue.push({ offset, length, destination, lane, trafficClass, tag });
  }

  sendTrain(
    offset: number,
    length: number,
    segmentSize: number,
    destination: number,
    lane: number,
    trafficClass: number,
    tag: number,
    failed: (tag: number, failure: SendFailure) => void,
  ): void {
    this.flush(failed);
    for (let at = 0; at < length; at += segmentSize) {
      this.send(offset + at, Math.min(segmentSize, length - at), destination, lane, trafficClass, tag);
    }
    this.flush(failed);
  }

  flush(failed: (tag: number, failure: SendFailure) => void): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const [i, { offset, length, destination, lane, trafficClass, tag }] of queue.entries()) {
      const to = this.#destinations[destination];
      if (to === undefined || to.users === 0) throw new RangeError(`destination ${destination} is not in use`);
      const payload = this.#memory.bytes.slice(offset, offset + length);
      const failure =
        i < this.#queueCapacity
          ? this.#fabric.carry({ from: this.address, to: to.address, toPort: to.port, lane, trafficClass, payload })
          : 'busy';
      if (failure !== null) failed(tag, failure);
    }
  }

  close(): void {
    this.#fabric.leave(this.address, this.port);
    this.#queue = [];
  }
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
