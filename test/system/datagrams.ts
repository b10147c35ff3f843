/**
 * UDP in a namespace, in sizes that no stream would show: `send ADDRESS PORT COUNT SIZE…` and `receive ADDRESS COUNT SIZE…`, so many
 * datagrams of each size; `train ADDRESS PORT HEX…`, these datagrams of one size in one call.
 *
 * The sender hands as many datagrams as fit to the kernel in one call (`UDP_SEGMENT`), as QUIC does, so that an interface which takes
 * large UDP segments gets one. The receiver says its port, and ends once it has all of them, each as it was sent.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Arena } from '../../agent/sys/arena.linux.ts';
import { checked } from '../../agent/sys/errno.linux.ts';
import { close, sendmmsg, socket } from '../../agent/sys/libc.linux.ts';
import { MessageArray } from '../../agent/sys/mmsghdr.linux.ts';
import { AF_INET, AF_INET6, SOCKADDR_SIZE, writeSockaddr } from '../../agent/sys/sockaddr.linux.ts';
import { parseIp } from '../../src/contract/ip.ts';

const SOCK_DGRAM = 2;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const MAX_SEGMENTS = 64;
const MAX_BYTES = 65_000;
const RECEIVE_MS = 5000;
const INDEX_BYTES = 4;

const [command, address = '', ...rest] = process.argv.slice(2);
const numbers = rest.map(Number);
if (command === 'send') send(numbers[0]!, numbers[1]!, numbers.slice(2));
else if (command === 'train')
  sendTrain(
    numbers[0]!,
    rest.slice(1).map((hex) => Buffer.from(hex, 'hex')),
  );
else await receive(numbers[0]!, numbers.slice(1));

function send(port: number, count: number, sizes: readonly number[]): void {
  for (const size of sizes) {
    const atOnce = Math.min(MAX_SEGMENTS, Math.floor(MAX_BYTES / size));
    for (let first = 0; first < count; first += atOnce) {
      const segments = Math.min(atOnce, count - first);
      sendTrain(
        port,
        Array.from({ length: segments }, (_, i) => datagram(first + i, size)),
      );
    }
  }
}

function sendTrain(port: number, datagrams: readonly Buffer[]): void {
  const arena = new Arena(MAX_BYTES + 4096);
  const ip = parseIp(address)!;
  const family = ip.length === 4 ? AF_INET : AF_INET6;
  const name = arena.take(SOCKADDR_SIZE);
  const nameLength = writeSockaddr(arena.view, name, family, ip, port);
  const payload = arena.take(MAX_BYTES);
  const messages = new MessageArray(arena, 1);
  const fd = checked('socket', socket(family, SOCK_DGRAM, 0));
  const whole = Buffer.concat(datagrams);
  arena.bytes.set(whole, payload);
  messages.setBuffer(0, payload, whole.length);
  messages.setMessage(0, name, nameLength, 0, 1);
  if (datagrams.length > 1) messages.addControl(0, SOL_UDP, UDP_SEGMENT, 2, datagrams[0]!.length);
  checked('sendmmsg', sendmmsg(fd, messages.addressOf(0), 1, 0));
  close(fd);
}

async function receive(count: number, sizes: readonly number[]): Promise<void> {
  const receiver = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 2 ** 22 });
  const missing = new Set(sizes.flatMap((size) => Array.from({ length: count }, (_, i) => `${size} bytes, no. ${i}`)));
  const wrong: string[] = [];
  const done = new Promise<void>((resolve) => {
    receiver.on('message', (message) => {
      const index = message.length >= INDEX_BYTES ? message.readUInt32BE() : -1;
      const what = `${message.length} bytes, no. ${index}`;
      if (!missing.delete(what) || !message.equals(datagram(index, message.length))) wrong.push(what);
      if (missing.size === 0) resolve();
    });
    setTimeout(resolve, RECEIVE_MS).unref();
  });
  receiver.bind(0, address);
  await once(receiver, 'listening');
  process.stdout.write(`port ${receiver.address().port}\n`);
  await done;
  receiver.close();
  if (missing.size === 0 && wrong.length === 0) return;
  const [first] = missing;
  process.stderr.write(`${missing.size} are missing, the first: ${first}; wrong: ${wrong.slice(0, 5).join('; ')}\n`);
  process.exitCode = 1;
}

/** Bytes that differ from one datagram to the next; it begins with its number. */
function datagram(index: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = Math.imul(at + index * 7919, 0x9e3779b1) >>> 24;
  bytes.writeUInt32BE(index);
  return bytes;
}
