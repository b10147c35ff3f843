/**
 * Where probes come in while the kernel has VXLAN's port: the filter passes them on to this socket's (`filter-rules.ts`), behind the host's
 * own rules, so that what those drop is not heard here either.
 */
import { randomInt } from 'node:crypto';
import { type HeardProbe, ProbeInbox } from '../datapath/probe-inbox.ts';
import type { Arena } from '../sys/arena.linux.ts';
import { checked } from '../sys/errno.linux.ts';
import { close, getsockname, recvmmsg } from '../sys/libc.linux.ts';
import { MessageArray } from '../sys/mmsghdr.linux.ts';
import { AF_INET, AF_INET6, readSockaddrWords, SOCKADDR_SIZE } from '../sys/sockaddr.linux.ts';
import { bindUdpSocket, openUdpSocket } from '../underlay/udp-socket.linux.ts';

const MSG_DONTWAIT = 0x40;
const BATCH = 8;
/** Any datagram: one that was cut would not be as long as it says. */
const BUFFER_SIZE = 65_536;
const NAME_SIZE = 32;
export const PROBE_RECEIVER_ARENA_BYTES = BATCH * (BUFFER_SIZE + NAME_SIZE + 256) + 4096;

export class ProbeReceiver {
  readonly fd: number;
  /** Where the filter passes them on to. */
  readonly port: number;
  /** More than are looked at in a second. */
  overLimit = 0;
  readonly #arena: Arena;
  readonly #inbox = new ProbeInbox(randomInt(2 ** 32));
  readonly #messages: MessageArray;
  readonly #buffers: number;
  readonly #names: number;
  readonly #source = new Uint32Array(4);

  /** @throws SysError */
  constructor(arena: Arena, isIpv6: boolean) {
    this.#arena = arena;
    this.#messages = new MessageArray(arena, BATCH);
    this.#buffers = arena.take(BATCH * BUFFER_SIZE);
    this.#names = arena.take(BATCH * NAME_SIZE);
    const family = isIpv6 ? AF_INET6 : AF_INET;
    const kind = { family, address: new Uint8Array(isIpv6 ? 16 : 4), isDual: false } as const;
    this.fd = openUdpSocket(kind);
    bindUdpSocket(this.fd, kind, 0);
    const length = arena.take(4);
    arena.view.setUint32(length, SOCKADDR_SIZE, true);
    checked('getsockname', getsockname(this.fd, arena.address + this.#names, arena.address + length));
    this.port = arena.view.getUint16(this.#names + 2);
  }

  /** @param now seconds on the machine's clock that never goes back. @returns what waited, one batch at most. */
  receive(now: number): readonly HeardProbe[] {
    for (let i = 0; i < BATCH; i++) {
      this.#messages.setBuffer(i, this.#buffers + i * BUFFER_SIZE, BUFFER_SIZE);
      this.#messages.setMessage(i, this.#names + i * NAME_SIZE, SOCKADDR_SIZE, i, 1);
    }
    const count = recvmmsg(this.fd, this.#messages.addressOf(0), BATCH, MSG_DONTWAIT, 0);
    for (let i = 0; i < count; i++) {
      readSockaddrWords(this.#arena.view, this.#names + i * NAME_SIZE, this.#source, 0);
      const [at, length] = [this.#buffers + i * BUFFER_SIZE, this.#messages.transferred(i)];
      if (!this.#inbox.take(this.#arena.view, at, length, this.#source, 0, now)) this.overLimit++;
    }
    return this.#inbox.drain();
  }

  close(): void {
    close(this.fd);
  }
}
