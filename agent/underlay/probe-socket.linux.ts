/**
 * Probes out: of any size that the device takes, with DF set, whatever the kernel believes of the path's MTU (`IP_PMTUDISC_PROBE`), since
 * that is what is to be found out. The socket is opened with the first probe, and anew where it could not be.
 */
import { parseIp } from '../../src/contract/ip.ts';
import { Arena } from '../sys/arena.linux.ts';
import { EMSGSIZE, lastErrno, SysError } from '../sys/errno.linux.ts';
import { close, sendto } from '../sys/libc.linux.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';
import { SOCKADDR_SIZE, writeSockaddr } from '../sys/sockaddr.linux.ts';
import { PROBE_LENGTH, type Probe, writeProbe } from '../wire/probe.ts';
import type { UnderlaySource } from './udp.linux.ts';
import {
  bindUdpSocket,
  IP_MTU_DISCOVER,
  IPV6_MTU_DISCOVER,
  openUdpSocket,
  PMTUDISC_PROBE,
  SO_RCVBUF,
  type SocketKind,
  setOption,
  socketKind,
} from './udp-socket.linux.ts';

const MSG_DONTWAIT = 0x40;
const MAX_PAYLOAD = 65_507;

export class ProbeSocket {
  readonly #arena = new Arena(MAX_PAYLOAD + 64 + SOCKADDR_SIZE + 64);
  readonly #payload = this.#arena.take(MAX_PAYLOAD);
  readonly #name = this.#arena.take(SOCKADDR_SIZE);
  #source: UnderlaySource;
  #open: { readonly fd: number; readonly kind: SocketKind } | null = null;

  constructor(source: UnderlaySource) {
    this.#source = source;
  }

  /** Sends from there from now on. */
  setSource(source: UnderlaySource): void {
    this.close();
    this.#source = source;
  }

  /** Of the link that has the source's address; null where none has it. */
  mtu(): number | null {
    const { address } = this.#source;
    return address === null ? null : (findLinkByAddress(address)?.mtu ?? null);
  }

  send(to: { readonly address: string; readonly port: number }, probe: Probe): 'sent' | 'tooBig' | 'failed' {
    const length = probe.kind === 'ask' ? Math.min(probe.size, MAX_PAYLOAD) : PROBE_LENGTH;
    try {
      this.#open ??= openSocket(this.#source);
      const { fd, kind } = this.#open;
      writeProbe(this.#arena.view, this.#payload, probe);
      const nameLength = writeSockaddr(this.#arena.view, this.#name, kind.family, parseIp(to.address)!, to.port);
      if (nameLength === 0) return 'failed';
      const base = this.#arena.address;
      if (sendto(fd, base + this.#payload, length, MSG_DONTWAIT, base + this.#name, nameLength) === length)
        return 'sent';
      return lastErrno() === EMSGSIZE ? 'tooBig' : 'failed';
    } catch (error) {
      if (error instanceof SysError) return 'failed';
      throw error;
    }
  }

  close(): void {
    if (this.#open !== null) close(this.#open.fd);
    this.#open = null;
  }
}

/** @throws SysError */
function openSocket({ address, device }: UnderlaySource): { readonly fd: number; readonly kind: SocketKind } {
  const kind = socketKind(address === null ? null : parseIp(address), device);
  const fd = openUdpSocket(kind);
  try {
    if (kind.address.length === 4 || kind.isDual) setOption(fd, IP_MTU_DISCOVER, PMTUDISC_PROBE);
    if (kind.address.length === 16) setOption(fd, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
    // Nothing is read from it, so it shall hold nothing.
    setOption(fd, SO_RCVBUF, 0);
    bindUdpSocket(fd, kind, 0);
    return { fd, kind };
  } catch (error) {
    close(fd);
    throw error;
  }
}
