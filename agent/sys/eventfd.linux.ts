/** eventfd(2): by which the main thread wakes one that waits in the kernel. */
import { checked } from './errno.linux.ts';
import { eventfd } from './libc.linux.ts';

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** @returns a descriptor that can be read once something was written to it. @throws SysError */
export function openEventfd(): number {
  return checked('eventfd', eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}
