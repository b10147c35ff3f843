/** One datagram to a Unix socket (unix(7)), for which Node has no way. */
import { Arena } from './arena.linux.ts';
import { checked } from './errno.linux.ts';
import { close, sendto, socket } from './libc.linux.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** `sun_family`, and `sun_path` with its closing NUL. */
const FAMILY_SIZE = 2;
const PATH_SIZE = 108;

/**
 * Sends `text`, and waits while the receiver's queue is full.
 * @param path of a socket in the file system, or `@` and the name of an abstract one.
 * @throws SysError ENOENT, ECONNREFUSED, … RangeError where the path is too long.
 */
export function sendUnixDatagram(path: string, text: string): void {
  const name = Buffer.from(path);
  if (name.length >= PATH_SIZE) throw new RangeError(`a Unix socket's path has less than ${PATH_SIZE} bytes: ${path}`);
  const bytes = Buffer.from(text);
  const arena = new Arena(64 + FAMILY_SIZE + PATH_SIZE + 64 + bytes.length);
  const address = arena.take(FAMILY_SIZE + PATH_SIZE);
  arena.view.setUint16(address, AF_UNIX, true);
  arena.bytes.set(name, address + FAMILY_SIZE);
  const isAbstract = path.startsWith('@');
  if (isAbstract) arena.bytes[address + FAMILY_SIZE] = 0;
  const message = arena.take(bytes.length);
  arena.bytes.set(bytes, message);
  const fd = checked('socket', socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    const length = FAMILY_SIZE + name.length + (isAbstract ? 0 : 1);
    const at = arena.address;
    checked(`sendto ${path}`, sendto(fd, at + message, bytes.length, MSG_NOSIGNAL, at + address, length));
  } finally {
    close(fd);
  }
}
