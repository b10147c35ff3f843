/** A raw socket that speaks ICMP echo to one address. */
import { Arena } from '../../agent/sys/arena.linux.ts';
import { Epoll } from '../../agent/sys/epoll.linux.ts';
import { checked, lastErrno, SysError } from '../../agent/sys/errno.linux.ts';
import { bind, close, recv, sendto, socket } from '../../agent/sys/libc.linux.ts';
import { AF_INET, AF_INET6, SOCKADDR_SIZE, writeSockaddr } from '../../agent/sys/sockaddr.linux.ts';
import {
  ICMP_ECHO_LENGTH,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  readEchoIdentifier,
  readEchoSequence,
  readIcmpType,
  writeEcho,
  writeIcmpChecksum,
} from '../../agent/wire/icmp.ts';
import { ipv4HeaderLength, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../../agent/wire/ipv4.ts';
import { parseIp } from '../../src/contract/ip.ts';

const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const BUFFER_SIZE = 65_536;

export class EchoSocket {
  readonly #arena = new Arena(2 * BUFFER_SIZE + 4096);
  readonly #message = this.#arena.take(BUFFER_SIZE);
  readonly #answer = this.#arena.take(BUFFER_SIZE);
  readonly #name = this.#arena.take(SOCKADDR_SIZE);
  readonly #epoll = new Epoll(this.#arena, 1);
  readonly #isIpv4: boolean;
  readonly #nameLength: number;
  readonly #identifier: number;
  readonly #length: number;
  readonly #fd: number;

  /**
   * @param identifier 16 bits that no other pinger of this namespace uses now.
   * @param size bytes of data, all zero.
   * @throws SysError where no raw socket can be had, or `from` is not this host's.
   */
  constructor(to: string, from: string | undefined, identifier: number, size: number) {
    const { view, address } = this.#arena;
    const target = addressBytes('to', to);
    const family = target.length === 4 ? AF_INET : AF_INET6;
    this.#isIpv4 = family === AF_INET;
    this.#identifier = identifier;
    this.#length = ICMP_ECHO_LENGTH + size;
    const protocol = this.#isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    this.#fd = checked('socket(SOCK_RAW)', socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (from !== undefined) {
      const length = writeSockaddr(view, this.#name, family, addressBytes('from', from), 0);
      checked(`bind ${from}`, bind(this.#fd, address + this.#name, length));
    }
    this.#nameLength = writeSockaddr(view, this.#name, family, target, 0);
    this.#epoll.add(this.#fd, 0);
  }

  /** @returns the error's name where it could not be sent. */
  send(sequence: number): string | null {
    const { view, address } = this.#arena;
    writeEcho(
      view,
      this.#message,
      this.#isIpv4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST,
      this.#identifier,
      sequence % 0x1_0000,
    );
    // The kernel computes the checksum of ICMPv6: only it knows the source address (RFC 3542 §3.1).
    if (this.#isIpv4) writeIcmpChecksum(view, this.#message, this.#length, 0);
    const sent = sendto(this.#fd, address + this.#message, this.#length, 0, address + this.#name, this.#nameLength);
    return sent < 0 ? new SysError('sendto', lastErrno()).code : null;
  }

  /** @returns the low 16 bits of the sequence number of the next answer that waits, or null. */
  receive(): number | null {
    const { view, address } = this.#arena;
    for (;;) {
      const length = recv(this.#fd, address + this.#answer, BUFFER_SIZE, MSG_DONTWAIT);
      if (length < 0) return null;
      // A raw IPv4 socket gives the IP header too, an IPv6 one does not.
      const start = this.#answer + (this.#isIpv4 ? ipv4HeaderLength(view, this.#answer, length) : 0);
      if (this.#answer + length - start < ICMP_ECHO_LENGTH) continue;
      if (readIcmpType(view, start) !== (this.#isIpv4 ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY)) continue;
      if (readEchoIdentifier(view, start) === this.#identifier) return readEchoSequence(view, start);
    }
  }

  /** Blocks until something came, at most so many milliseconds. */
  wait(timeoutMs: number): void {
    this.#epoll.wait(timeoutMs);
  }

  close(): void {
    this.#epoll.close();
    close(this.#fd);
  }
}

function addressBytes(field: string, text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === null) throw new Error(`${field}: "${text}" must be an IP address`);
  return bytes;
}
