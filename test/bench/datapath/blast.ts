/**
 * A load generator for small frames: UDP datagrams of one size at a steady rate, from `blast.ts ADDRESS SIZE RATE SECONDS`. Many leave
 * in one system call, so that it isn't itself what is measured. Prints how many it sent.
 */
import { Arena } from '../../../agent/sys/arena.linux.ts';
import { checked } from '../../../agent/sys/errno.linux.ts';
import { sendmmsg, socket } from '../../../agent/sys/libc.linux.ts';
import { MessageArray } from '../../../agent/sys/mmsghdr.linux.ts';
import { AF_INET, writeSockaddr } from '../../../agent/sys/sockaddr.linux.ts';
import { parseIp } from '../../../src/contract/ip.ts';
import { DISCARD_PORT } from './discard-port.ts';

const SOCK_DGRAM = 2;
const BURST = 32;

const [address = '', size = '64', rate = '1000', seconds = '1'] = process.argv.slice(2);
const arena = new Arena(256 * 1024);
const name = arena.take(28);
const nameLength = writeSockaddr(arena.view, name, AF_INET, parseIp(address)!, DISCARD_PORT);
const payload = arena.take(2048);
const messages = new MessageArray(arena, BURST);
// The frame's size is with its Ethernet, IP and UDP headers.
for (let i = 0; i < BURST; i++) {
  messages.setBuffer(i, payload, Math.max(0, Number(size) - 42));
  messages.setMessage(i, name, nameLength, i, 1);
}
const fd = checked('socket', socket(AF_INET, SOCK_DGRAM, 0));
const start = performance.now();
const end = start + Number(seconds) * 1000;
let sent = 0;
for (let now = start; now < end; now = performance.now()) {
  const due = ((now - start) / 1000) * Number(rate) - sent;
  if (due < 1) continue;
  const count = sendmmsg(fd, messages.addressOf(0), Math.min(BURST, Math.floor(due)), 0);
  // What the interface's queue refuses is lost before the overlay.
  if (count > 0) sent += count;
}
process.stdout.write(`${JSON.stringify({ sent, seconds: (performance.now() - start) / 1000 })}\n`);
