/**
 * All frames of an interface, in and out: packet(7).
 *
 * `struct sockaddr_ll`:
 *
 *      0        2          4         8               10            11       12        20
 *     +--------+----------+---------+---------------+-------------+--------+---------+
 *     | family | protocol | ifindex | hardware type | packet type | length | address |
 *     +--------+----------+---------+---------------+-------------+--------+---------+
 */
import { Arena } from '../../agent/sys/arena.linux.ts';
import { Epoll } from '../../agent/sys/epoll.linux.ts';
import { checked } from '../../agent/sys/errno.linux.ts';
import { bind, close, recvmmsg, setsockopt, socket } from '../../agent/sys/libc.linux.ts';
import { findLink } from '../../agent/sys/link.linux.ts';
import { MessageArray } from '../../agent/sys/mmsghdr.linux.ts';
import { MAX_PACKET } from '../../agent/wire/packet-batch.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const RECEIVE_BUFFER = 8 * 1024 * 1024;
const ETH_P_ALL = 0x0003;
const NAME_LENGTH = 20;
const PACKET_TYPE = 10;
const PACKET_OUTGOING = 4;
const MSG_DONTWAIT = 0x40;
const BATCH = 32;

/** Called for each frame; `bytes` is valid only during the call. */
export type OnFrame = (direction: 'in' | 'out', bytes: Uint8Array) => void;

export class PacketSocket {
  readonly #arena = new Arena(BATCH * (MAX_PACKET + 256) + 16_384);
  readonly #messages = new MessageArray(this.#arena, BATCH);
  readonly #names = Array.from({ length: BATCH }, () => this.#arena.take(NAME_LENGTH));
  readonly #buffers = Array.from({ length: BATCH }, () => this.#arena.take(MAX_PACKET));
  readonly #epoll = new Epoll(this.#arena, 1);
  readonly #fd: number;

  /** @throws SysError, or Error where there is no interface of that name. */
  constructor(dev: string) {
    const link = findLink(dev);
    if (link === undefined) throw new Error(`dev: there is no interface "${dev}"`);
    const { view, address } = this.#arena;
    // Protocol 0 takes nothing until the bind, so that no other interface's frames slip in.
    this.#fd = checked('socket(AF_PACKET)', socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    const name = this.#names[0]!;
    view.setInt32(name, RECEIVE_BUFFER, true);
    // Best effort: in a user namespace it may not be raised.
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, address + name, 4);
    view.setUint16(name, AF_PACKET, true);
    view.setUint16(name + 2, ETH_P_ALL);
    view.setInt32(name + 4, link.index, true);
    checked(`bind ${dev}`, bind(this.#fd, address + name, NAME_LENGTH));
    this.#epoll.add(this.#fd, 0);
  }

  /** Blocks until frames came or the time is over, then gives all that wait. */
  receive(timeoutMs: number, onFrame: OnFrame): void {
    if (this.#epoll.wait(timeoutMs) === 0) return;
    for (;;) {
      for (let i = 0; i < BATCH; i++) {
        this.#messages.setBuffer(i, this.#buffers[i]!, MAX_PACKET);
        this.#messages.setMessage(i, this.#names[i]!, NAME_LENGTH, i, 1);
      }
      const count = recvmmsg(this.#fd, this.#messages.addressOf(0), BATCH, MSG_DONTWAIT, 0);
      for (let i = 0; i < count; i++) {
        const type = this.#arena.bytes[this.#names[i]! + PACKET_TYPE];
        const start = this.#buffers[i]!;
        const bytes = this.#arena.bytes.subarray(start, start + this.#messages.transferred(i));
        onFrame(type === PACKET_OUTGOING ? 'out' : 'in', bytes);
      }
      if (count < BATCH) return;
    }
  }

  close(): void {
    this.#epoll.close();
    close(this.#fd);
  }
}
