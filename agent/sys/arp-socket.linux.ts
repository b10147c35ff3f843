/** ARP that reaches this host's interfaces (packet(7)): costs nothing for any other packet, since the kernel looks by the EtherType. */
import type { Arena } from './arena.linux.ts';
import { checked } from './errno.linux.ts';
import { close, recvmmsg, socket } from './libc.linux.ts';
import { MessageArray } from './mmsghdr.linux.ts';

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const ETH_P_ARP = 0x0806;
/** `struct sockaddr_ll`: family, protocol, ifindex, … */
const NAME_LENGTH = 20;
const IFINDEX = 4;
const PACKET_SIZE = 64;
const BATCH = 32;
/** How many batches before the caller has its turn: any interface's ARP comes here, perhaps faster than it is taken. */
const TURNS = 32;
export const ARP_SOCKET_ARENA_BYTES = BATCH * (64 + 64 + 128 + PACKET_SIZE) + 4096;

export class ArpSocket {
  readonly fd: number;
  readonly #arena: Arena;
  readonly #messages: MessageArray;
  readonly #names: number;
  readonly #buffers: number;

  /** @throws SysError: EPERM without CAP_NET_RAW. */
  constructor(arena: Arena) {
    this.#arena = arena;
    this.#messages = new MessageArray(arena, BATCH);
    this.#names = arena.take(BATCH * 32);
    this.#buffers = arena.take(BATCH * PACKET_SIZE);
    // The protocol is in network order.
    const protocol = (ETH_P_ARP >> 8) | ((ETH_P_ARP & 0xff) << 8);
    this.fd = checked('socket(AF_PACKET)', socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, protocol));
  }

  /** Gives those that wait, up to a limit: the interface's index, and where the ARP packet lies in the arena, valid during the call. */
  receive(onPacket: (index: number, view: DataView, offset: number, length: number) => void): void {
    for (let turn = 0; turn < TURNS; turn++) {
      for (let i = 0; i < BATCH; i++) {
        this.#messages.setBuffer(i, this.#buffers + i * PACKET_SIZE, PACKET_SIZE);
        this.#messages.setMessage(i, this.#names + i * 32, NAME_LENGTH, i, 1);
      }
      const count = recvmmsg(this.fd, this.#messages.addressOf(0), BATCH, MSG_DONTWAIT, 0);
      for (let i = 0; i < count; i++) {
        const index = this.#arena.view.getInt32(this.#names + i * 32 + IFINDEX, true);
        onPacket(index, this.#arena.view, this.#buffers + i * PACKET_SIZE, this.#messages.transferred(i));
      }
      if (count < BATCH) return;
    }
  }

  close(): void {
    close(this.fd);
  }
}
