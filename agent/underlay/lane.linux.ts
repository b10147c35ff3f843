/**
 * One source port to send from: a queue of datagrams, sent with as few system calls and as few walks through the kernel's stack as
 * there can be. Datagrams in a row that go to the same VTEP and have the same size leave as one train (`UDP_SEGMENT`), and all trains
 * of the queue in one `sendmmsg`.
 *
 * Where the kernel or the device refuses a train, its datagrams go one by one; where they pass so, there are no trains from then on.
 */
import type { Arena } from '../sys/arena.linux.ts';
import { EAGAIN, EINVAL, EIO, EMSGSIZE, ENOBUFS, lastErrno } from '../sys/errno.linux.ts';
import { close, sendmmsg } from '../sys/libc.linux.ts';
import { MessageArray } from '../sys/mmsghdr.linux.ts';
import { isIpv4Sockaddr } from '../sys/sockaddr.linux.ts';
import { MAX_TRAIN_BYTES, MAX_TRAIN_SEGMENTS } from '../wire/packet-batch.ts';
import { IP_TOS, IPV6_TCLASS } from './udp-socket.linux.ts';
import type { SendFailure } from './underlay.ts';

export const LANE_CAPACITY = 128;
const MSG_DONTWAIT = 0x40;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;

export type Failed = (tag: number, failure: SendFailure) => void;

/** What all lanes of an underlay share: whether trains are taken. */
export interface Trains {
  enabled: boolean;
  /** Called once, when they turn out not to be. */
  readonly onRefused: () => void;
}

export class Lane {
  readonly fd: number;
  readonly #view: DataView;
  readonly #messages: MessageArray;
  readonly #trains: Trains;
  readonly #nameLength: number;
  readonly #offsets = new Int32Array(LANE_CAPACITY);
  readonly #lengths = new Int32Array(LANE_CAPACITY);
  readonly #names = new Int32Array(LANE_CAPACITY);
  readonly #trafficClasses = new Uint8Array(LANE_CAPACITY);
  readonly #tags = new Int32Array(LANE_CAPACITY);
  /** By message: its first datagram, with one more entry for the end. */
  readonly #first = new Int32Array(LANE_CAPACITY + 1);
  #count = 0;

  /** @param nameLength of a destination's socket address, in bytes. */
  constructor(arena: Arena, fd: number, nameLength: number, trains: Trains) {
    this.fd = fd;
    this.#view = arena.view;
    this.#messages = new MessageArray(arena, LANE_CAPACITY);
    this.#nameLength = nameLength;
    this.#trains = trains;
  }

  get isFull(): boolean {
    return this.#count === LANE_CAPACITY;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** @param name where in the arena the destination's socket address is. */
  queue(offset: number, length: number, name: number, trafficClass: number, tag: number): void {
    const i = this.#count++;
    this.#offsets[i] = offset;
    this.#lengths[i] = length;
    this.#names[i] = name;
    this.#trafficClasses[i] = trafficClass;
    this.#tags[i] = tag;
  }

  flush(failed: Failed | null): void {
    for (let i = 0; i < this.#count; i++) this.#messages.setBuffer(i, this.#offsets[i]!, this.#lengths[i]!);
    const messages = this.#group();
    let sent = 0;
    while (sent < messages) {
      const result = sendmmsg(this.fd, this.#messages.addressOf(sent), messages - sent, MSG_DONTWAIT);
      if (result > 0) {
        sent += result;
        continue;
      }
      // The first that is left failed; those after it may pass.
      const errno = lastErrno();
      const first = this.#first[sent]!;
      const end = this.#first[sent + 1]!;
      sent++;
      if (end - first > 1 && isRefusal(errno)) {
        // Singly, and the rest of the queue after them: the messages are built anew.
        this.#sendSingly(first, end, errno, failed);
        continue;
      }
      const failure = failureOf(errno);
      for (let i = first; i < end; i++) failed?.(this.#tags[i]!, failure);
      if (failure !== 'busy') continue;
      for (let i = end; i < this.#count; i++) failed?.(this.#tags[i]!, failure);
      break;
    }
    this.#count = 0;
  }

  /** Sends datagrams that lie one behind the other. The queue is empty. */
  sendTrain(
    offset: number,
    length: number,
    segmentSize: number,
    name: number,
    trafficClass: number,
    tag: number,
    failed: Failed,
  ): void {
    let errno = 0;
    if (this.#trains.enabled && length > segmentSize) {
      this.#messages.setBuffer(0, offset, length);
      this.#messages.setMessage(0, name, this.#nameLength, 0, 1);
      this.#messages.addControl(0, SOL_UDP, UDP_SEGMENT, 2, segmentSize);
      this.#setTrafficClass(0, name, trafficClass);
      if (sendmmsg(this.fd, this.#messages.addressOf(0), 1, MSG_DONTWAIT) === 1) return;
      errno = lastErrno();
      if (!isRefusal(errno)) {
        const failure = failureOf(errno);
        for (let at = 0; at < length; at += segmentSize) failed(tag, failure);
        return;
      }
    }
    for (let at = 0; at < length; at += segmentSize) {
      if (this.isFull) this.#flushSingly(errno, failed);
      this.queue(offset + at, Math.min(segmentSize, length - at), name, trafficClass, tag);
    }
    this.#flushSingly(errno, failed);
  }

  close(): void {
    close(this.fd);
  }

  /** Makes messages of the queue: a train of each run of datagrams to one VTEP, of one size (the last may be shorter). */
  #group(): number {
    let messages = 0;
    for (let first = 0; first < this.#count; ) {
      const size = this.#lengths[first]!;
      let bytes = size;
      let end = first + 1;
      while (
        this.#trains.enabled &&
        end < this.#count &&
        end - first < MAX_TRAIN_SEGMENTS &&
        this.#names[end] === this.#names[first] &&
        this.#trafficClasses[end] === this.#trafficClasses[first] &&
        this.#lengths[end - 1] === size &&
        this.#lengths[end]! <= size &&
        bytes + this.#lengths[end]! <= MAX_TRAIN_BYTES
      ) {
        bytes += this.#lengths[end]!;
        end++;
      }
      this.#messages.setMessage(messages, this.#names[first]!, this.#nameLength, first, end - first);
      if (end - first > 1) this.#messages.addControl(messages, SOL_UDP, UDP_SEGMENT, 2, size);
      this.#setTrafficClass(messages, this.#names[first]!, this.#trafficClasses[first]!);
      this.#first[messages] = first;
      messages++;
      first = end;
    }
    this.#first[messages] = this.#count;
    return messages;
  }

  /** The socket's own is 0, so that only another costs something. */
  #setTrafficClass(message: number, name: number, trafficClass: number): void {
    if (trafficClass === 0) return;
    const [level, type] = isIpv4Sockaddr(this.#view, name) ? IP_TOS : IPV6_TCLASS;
    this.#messages.addControl(message, level, type, 4, trafficClass);
  }

  #flushSingly(errno: number, failed: Failed): void {
    for (let i = 0; i < this.#count; i++) this.#messages.setBuffer(i, this.#offsets[i]!, this.#lengths[i]!);
    this.#sendSingly(0, this.#count, errno, failed);
    this.#count = 0;
  }

  /** @param errno why they did not go as a train; 0 where that was not tried. */
  #sendSingly(first: number, end: number, errno: number, failed: Failed | null): void {
    // Message 0 of a second array is not needed: the messages before `first` have been sent.
    let passed = 0;
    for (let i = first; i < end; i++) {
      this.#messages.setMessage(0, this.#names[i]!, this.#nameLength, i, 1);
      this.#setTrafficClass(0, this.#names[i]!, this.#trafficClasses[i]!);
      if (sendmmsg(this.fd, this.#messages.addressOf(0), 1, MSG_DONTWAIT) === 1) passed++;
      else failed?.(this.#tags[i]!, failureOf(lastErrno()));
    }
    if (passed > 0 && (errno === EIO || errno === EINVAL) && this.#trains.enabled) {
      this.#trains.enabled = false;
      this.#trains.onRefused();
    }
  }
}

/** What a kernel or device says that takes no trains, or not of this size. */
function isRefusal(errno: number): boolean {
  return errno === EIO || errno === EINVAL || errno === EMSGSIZE;
}

function failureOf(errno: number): SendFailure {
  if (errno === EMSGSIZE) return 'tooBig';
  return errno === EAGAIN || errno === ENOBUFS ? 'busy' : 'unreachable';
}
