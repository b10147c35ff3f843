/**
 * Sends a UDP datagram over IPv6 twice, each time in two fragments: `FROM TO PORT HEX`. The first of them ends with UDP's header, or before
 * it, amid the headers that say what is to come: whoever looks at packets before they are whole again sees nothing of what is in it.
 */
import { Arena } from '../../agent/sys/arena.linux.ts';
import { checked } from '../../agent/sys/errno.linux.ts';
import { sendmmsg, socket } from '../../agent/sys/libc.linux.ts';
import { MessageArray } from '../../agent/sys/mmsghdr.linux.ts';
import { AF_INET6, SOCKADDR_SIZE, writeSockaddr } from '../../agent/sys/sockaddr.linux.ts';
import { parseIp } from '../../src/contract/ip.ts';
import { concat } from '../agent/bytes.ts';
import { ipv6, udp } from '../agent/frames.ts';

const SOCK_RAW = 3;
/** Packets go in with their IPv6 header. */
const IPPROTO_RAW = 255;
const FRAGMENT = 44;
const UDP = 17;
const OPTIONS = 60;
const HEADER = 40;
const SPLIT_AT = 8;

const [from = '', to = '', port = '', hex = ''] = process.argv.slice(2);
const payload = new Uint8Array(Buffer.from(hex, 'hex'));
const whole = ipv6(udp({ to: Number(port), payload }), { from: [...parseIp(from)!], to: [...parseIp(to)!] });

const arena = new Arena(4096);
const name = arena.take(SOCKADDR_SIZE);
const nameLength = writeSockaddr(arena.view, name, AF_INET6, parseIp(to)!, 0);
const packet = arena.take(2048);
const message = new MessageArray(arena, 1);
const fd = checked('socket', socket(AF_INET6, SOCK_RAW, IPPROTO_RAW));
const segment = whole.subarray(HEADER);
const options = (next: number): Uint8Array => Uint8Array.of(next, 0, 1, 4, 0, 0, 0, 0);
send(1, UDP, segment);
send(2, OPTIONS, concat(options(OPTIONS), options(UDP), segment));

function send(id: number, next: number, bytes: Uint8Array): void {
  for (const [offset, end] of [
    [0, SPLIT_AT],
    [SPLIT_AT, bytes.length],
  ] as const) {
    const fragment = concat(header(id, next, offset, end - offset, end < bytes.length), bytes.subarray(offset, end));
    arena.bytes.set(fragment, packet);
    message.setBuffer(0, packet, fragment.length);
    message.setMessage(0, name, nameLength, 0, 1);
    checked('sendmmsg', sendmmsg(fd, message.addressOf(0), 1, 0));
  }
}

/** RFC 8200, section 4.5. */
function header(id: number, next: number, offset: number, length: number, hasMore: boolean): Uint8Array {
  const bytes = whole.slice(0, HEADER);
  new DataView(bytes.buffer).setUint16(4, 8 + length);
  bytes[6] = FRAGMENT;
  const place = offset | (hasMore ? 1 : 0);
  return concat(bytes, Uint8Array.of(next, 0, place >> 8, place & 0xff, 0, 0, 0, id));
}
