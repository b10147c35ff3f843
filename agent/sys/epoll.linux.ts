/** epoll(7): which of many descriptors can be read. One small number per descriptor comes back. */
import type { Arena } from './arena.linux.ts';
import { checked, EINTR, lastErrno, SysError } from './errno.linux.ts';
import { close, epollCreate1, epollCtl, epollWait } from './libc.linux.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
// `struct epoll_event` is packed on x86-64 only.
const EVENT_SIZE = process.arch === 'x64' ? 12 : 16;
const EVENT_DATA = process.arch === 'x64' ? 4 : 8;

export class Epoll {
  /** The tags of the descriptors that were ready at the last `wait`. */
  readonly ready: Int32Array;
  readonly #fd: number;
  readonly #arena: Arena;
  readonly #events: number;

  constructor(arena: Arena, capacity: number) {
    this.#fd = checked('epoll_create1', epollCreate1(EPOLL_CLOEXEC));
    this.#arena = arena;
    this.#events = arena.take(capacity * EVENT_SIZE);
    this.ready = new Int32Array(capacity);
  }

  add(fd: number, tag: number): void {
    this.#arena.view.setUint32(this.#events, EPOLLIN, true);
    this.#arena.view.setInt32(this.#events + EVENT_DATA, tag, true);
    checked('epoll_ctl', epollCtl(this.#fd, EPOLL_CTL_ADD, fd, this.#arena.address + this.#events));
  }

  remove(fd: number): void {
    epollCtl(this.#fd, EPOLL_CTL_DEL, fd, this.#arena.address + this.#events);
  }

  /** Blocks. @returns how many entries of `ready` are valid; 0 after `timeoutMs` or a signal. */
  wait(timeoutMs: number): number {
    const count = epollWait(this.#fd, this.#arena.address + this.#events, this.ready.length, timeoutMs);
    if (count < 0) {
      const errno = lastErrno();
      if (errno === EINTR) return 0;
      throw new SysError('epoll_wait', errno);
    }
    for (let i = 0; i < count; i++) {
      this.ready[i] = this.#arena.view.getInt32(this.#events + i * EVENT_SIZE + EVENT_DATA, true);
    }
    return count;
  }

  close(): void {
    close(this.#fd);
  }
}
