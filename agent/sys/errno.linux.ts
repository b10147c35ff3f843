/** What a failed system call said. */
import koffi from 'koffi';

/** Of two names for one number the ones that the kernel's own code has. */
const OTHER_NAMES = ['EDEADLOCK', 'ENOTSUP', 'EWOULDBLOCK'];
const NAMES = new Map(
  Object.entries(koffi.os.errno)
    .filter(([name]) => !OTHER_NAMES.includes(name))
    .map(([name, value]) => [value, name]),
);

export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EINVAL = 22;
export const ENOBUFS = 105;
export const EMSGSIZE = 90;

export class SysError extends Error {
  override readonly name = 'SysError';
  /** The errno's name, such as `EPERM`. */
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = NAMES.get(errno) ?? `errno ${errno}`;
    super(`${syscall}: ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** The errno of the last call through the FFI in this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

/** @returns `result`, or throws what errno says where it is negative. */
export function checked(syscall: string, result: number): number {
  if (result < 0) throw new SysError(syscall, lastErrno());
  return result;
}
