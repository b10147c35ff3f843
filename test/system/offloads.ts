/**
 * `offloads.ts on|off DEV…`: what `ethtool -K DEV tx rx sg tso gso gro` does, since that program is not everywhere. Whoever wants large
 * segments or unfinished checksums of a device asks for them by these (linux/ethtool.h).
 */
import { Arena } from '../../agent/sys/arena.linux.ts';
import { checked } from '../../agent/sys/errno.linux.ts';
import { ioctl, socket } from '../../agent/sys/libc.linux.ts';
import { AF_INET } from '../../agent/sys/sockaddr.linux.ts';

const SOCK_DGRAM = 2;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_SRXCSUM = 0x15;
const ETHTOOL_STXCSUM = 0x17;
const ETHTOOL_SSG = 0x19;
const ETHTOOL_STSO = 0x1f;
const ETHTOOL_SGSO = 0x24;
const ETHTOOL_SGRO = 0x2c;
/** In the order that switches them on: each but the first needs those before it. */
const SETTINGS = [ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO];

const [wanted, ...devices] = process.argv.slice(2);
const arena = new Arena(256);
/** `struct ifreq`: a name, and the address of a `struct ethtool_value`. */
const ifreq = arena.take(40);
const value = arena.take(8);
const fd = checked('socket', socket(AF_INET, SOCK_DGRAM, 0));
for (const device of devices) {
  for (const setting of SETTINGS) set(device, setting);
  // Not every device has it to set.
  try {
    set(device, ETHTOOL_SRXCSUM);
  } catch {}
}

function set(device: string, setting: number): void {
  arena.bytes.fill(0, ifreq, ifreq + 40);
  new TextEncoder().encodeInto(device, arena.bytes.subarray(ifreq, ifreq + 15));
  arena.view.setBigUint64(ifreq + 16, BigInt(arena.address + value), true);
  arena.view.setUint32(value, setting, true);
  arena.view.setUint32(value + 4, wanted === 'on' ? 1 : 0, true);
  checked(`SIOCETHTOOL ${device} ${setting}`, ioctl(fd, SIOCETHTOOL, arena.address + ifreq));
}
