/** A Unix datagram socket to be written to, as a service manager has it. */
import { Arena } from '../../../agent/sys/arena.linux.ts';
import { checked } from '../../../agent/sys/errno.linux.ts';
import { bind, close, recv, socket } from '../../../agent/sys/libc.linux.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;

export class DatagramSocket {
  readonly #fd: number;
  readonly #arena = new Arena(4096);
  readonly #buffer: number;

  /** @param name a path, or `\0` and the name of an abstract socket. */
  constructor(name: string) {
    this.#fd = checked('socket', socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0));
    const bytes = Buffer.from(name);
    const address = this.#arena.take(128);
    this.#arena.view.setUint16(address, AF_UNIX, true);
    this.#arena.bytes.set(bytes, address + 2);
    checked('bind', bind(this.#fd, this.#arena.address + address, 2 + bytes.length));
    this.#buffer = this.#arena.take(2048);
  }

  /** @returns the next datagram's text, or null where none is there. */
  take(): string | null {
    const length = recv(this.#fd, this.#arena.address + this.#buffer, 2048, 0);
    return length < 0 ? null : Buffer.from(this.#arena.bytes.slice(this.#buffer, this.#buffer + length)).toString();
  }

  close(): void {
    close(this.#fd);
  }
}
