/**
 * What a kernel does with a frame and its virtio-net header, by the plainest means and nothing of the agent's code: finish the checksum,
 * cut the large segment. So a frame with offloads and the frames that it stands for can be compared.
 */
import type { VirtioNetHeader } from '../../agent/wire/virtio-net.ts';
import { concat, viewOf } from '../agent/bytes.ts';
import { sumWords } from '../agent/frames.ts';

export const TCP = 6;
const UDP = 17;
export const CHECKSUM_AT = { [TCP]: 16, [UDP]: 6 } as const;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
const GSO_UDP = 5;
const GSO_ECN = 0x80;
const PSH_FIN = 0x09;
const CWR = 0x80;

/** Where the parts of a TCP or UDP packet over IP begin, or null where it is none, whole and unfragmented. */
export interface Packet {
  readonly isIpv4: boolean;
  readonly protocol: typeof TCP | typeof UDP;
  readonly transportAt: number;
  readonly payloadAt: number;
  /** Where it says that it ends: the frame may go on. */
  readonly end: number;
}

export function dissect(frame: Uint8Array): Packet | null {
  if (frame.length < 14) return null;
  const view = viewOf(frame);
  const isIpv4 = view.getUint16(12) === 0x0800;
  if (!isIpv4 && view.getUint16(12) !== 0x86dd) return null;
  if (frame.length < 14 + (isIpv4 ? 20 : 40) || frame[14]! >> 4 !== (isIpv4 ? 4 : 6)) return null;
  const ipLength = isIpv4 ? (frame[14]! & 15) * 4 : 40;
  const end = isIpv4 ? 14 + view.getUint16(16) : 54 + view.getUint16(18);
  const transportAt = 14 + ipLength;
  if (ipLength < 20 || end > frame.length || (isIpv4 && (view.getUint16(20) & 0x3fff) !== 0)) return null;
  const protocol = frame[isIpv4 ? 23 : 20];
  if (protocol === UDP) {
    return end < transportAt + 8 ? null : { isIpv4, protocol, transportAt, payloadAt: transportAt + 8, end };
  }
  if (protocol !== TCP || end < transportAt + 20) return null;
  const payloadAt = transportAt + (frame[transportAt + 12]! >> 4) * 4;
  return payloadAt < transportAt + 20 || payloadAt > end ? null : { isIpv4, protocol, transportAt, payloadAt, end };
}

/** The sum of the pseudo-header and, where said so, of all that follows it. */
function sumTransport(frame: Uint8Array, packet: Packet, withSegment: boolean): number {
  const length = packet.end - packet.transportAt;
  const addresses = packet.isIpv4 ? frame.subarray(26, 34) : frame.subarray(22, 54);
  const pseudo = concat(addresses, Uint8Array.of(0, packet.protocol, length >> 8, length & 0xff));
  return sumWords(withSegment ? concat(pseudo, frame.subarray(packet.transportAt, packet.end)) : pseudo);
}

/** True where a kernel left the checksum to a device, or it happens to look so. */
export function isIncomplete(frame: Uint8Array, packet: Packet): boolean {
  return checksumOf(frame, packet) === sumTransport(frame, packet, false);
}

export function isRight(frame: Uint8Array, packet: Packet): boolean {
  return sumTransport(frame, packet, true) === 0xffff;
}

function checksumOf(frame: Uint8Array, { transportAt, protocol }: Packet): number {
  return viewOf(frame).getUint16(transportAt + CHECKSUM_AT[protocol]);
}

/** @returns the frames as they are once nothing is left to be done, or null where the header can't be true of the frame. */
export function finish(header: Readonly<VirtioNetHeader>, given: Uint8Array): Uint8Array[] | null {
  const { flags, gsoType, gsoSize, csumStart, csumOffset } = header;
  if (gsoType !== 0) {
    const packet = dissect(given);
    const type = gsoType & ~GSO_ECN;
    const isTrue =
      packet !== null &&
      gsoSize > 0 &&
      packet.end === given.length &&
      packet.payloadAt < packet.end &&
      (flags & 1) === 1 &&
      csumStart === packet.transportAt &&
      csumOffset === CHECKSUM_AT[packet.protocol] &&
      (packet.protocol === UDP ? type === GSO_UDP : type === (packet.isIpv4 ? GSO_TCPV4 : GSO_TCPV6));
    return isTrue ? cut(given, packet, gsoSize) : null;
  }
  if ((flags & 1) === 0) return [given];
  const field = csumStart + csumOffset;
  if (field + 2 > given.length) return null;
  const frame = given.slice();
  viewOf(frame).setUint16(field, 0xffff - sumWords(frame.subarray(csumStart)) || 0xffff);
  return [frame];
}

/** @returns the frames that a large segment is cut into, complete. */
export function cut(frame: Uint8Array, packet: Packet, gsoSize: number): Uint8Array[] {
  const { isIpv4, protocol, transportAt, payloadAt, end } = packet;
  const parts: Uint8Array[] = [];
  for (let at = payloadAt; at < end; at += gsoSize) {
    const part = concat(frame.subarray(0, payloadAt), frame.subarray(at, Math.min(at + gsoSize, end)));
    const view = viewOf(part);
    if (isIpv4) {
      view.setUint16(16, part.length - 14);
      view.setUint16(18, view.getUint16(18) + parts.length);
      view.setUint16(24, 0);
      view.setUint16(24, 0xffff - sumWords(part.subarray(14, transportAt)));
    } else {
      view.setUint16(18, part.length - 54);
    }
    if (protocol === TCP) {
      view.setUint32(transportAt + 4, view.getUint32(transportAt + 4) + at - payloadAt);
      const isLast = at + gsoSize >= end;
      const flags = part[transportAt + 13]!;
      part[transportAt + 13] = flags & ~(isLast ? 0 : PSH_FIN) & ~(at === payloadAt ? 0 : CWR);
    } else {
      view.setUint16(transportAt + 4, part.length - transportAt);
    }
    parts.push(completed(part));
  }
  return parts;
}

/** @returns the frame with the right TCP or UDP checksum. */
export function completed(given: Uint8Array): Uint8Array {
  const frame = given.slice();
  const packet = dissect(frame)!;
  const field = packet.transportAt + CHECKSUM_AT[packet.protocol];
  viewOf(frame).setUint16(field, 0);
  viewOf(frame).setUint16(field, 0xffff - sumTransport(frame, packet, true) || 0xffff);
  return frame;
}

/**
 * The frame without what may differ in two that are the same packet: an IPv4 id, where the header's checksum fits it; and which of its two
 * zeros a TCP checksum is.
 */
export function canonical(given: Uint8Array): Uint8Array {
  const frame = given.slice();
  const packet = dissect(frame);
  if (packet?.protocol === TCP && checksumOf(frame, packet) === 0xffff) frame.set([0, 0], packet.transportAt + 16);
  const headerLength = frame.length < 34 ? 0 : (frame[14]! & 15) * 4;
  const isIpv4 = headerLength >= 20 && viewOf(frame).getUint16(12) === 0x0800 && frame[14]! >> 4 === 4;
  if (!isIpv4 || frame.length < 14 + headerLength) return frame;
  if (sumWords(frame.subarray(14, 14 + headerLength)) !== 0xffff) return frame;
  frame.set([0, 0], 18);
  frame.set([0, 0], 24);
  return frame;
}
