/**
 * ARP for IPv4 over Ethernet (RFC 826).
 *
 *      0               2               4     5     6           8             14          18            24          28
 *     +---------------+---------------+-----+-----+-----------+-------------+-----------+-------------+-----------+
 *     | hardware type | protocol type | hln | pln | operation | sender MAC  | sender IP | target MAC  | target IP |
 *     +---------------+---------------+-----+-----+-----------+-------------+-----------+-------------+-----------+
 */
import { writeMac } from './ethernet.ts';

export const ARP_LENGTH = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
/** Ethernet, IPv4, and the lengths of their addresses. */
const ETHERNET_IPV4_HIGH = 0x0001_0800;
const ETHERNET_IPV4_LOW = 0x0604;
const OPERATION = 6;
const SENDER_MAC = 8;
export const ARP_SENDER_IP = 14;
const TARGET_MAC = 18;
export const ARP_TARGET_IP = 24;

/** True where `length` bytes at `offset` hold ARP for IPv4 over Ethernet. */
export function isArp(view: DataView, offset: number, length: number): boolean {
  return (
    length >= ARP_LENGTH &&
    view.getUint32(offset) === ETHERNET_IPV4_HIGH &&
    view.getUint16(offset + 4) === ETHERNET_IPV4_LOW
  );
}

export const readArpOperation = (view: DataView, offset: number): number => view.getUint16(offset + OPERATION);
export const readArpSenderIp = (view: DataView, offset: number): number => view.getUint32(offset + ARP_SENDER_IP);
export const readArpTargetIp = (view: DataView, offset: number): number => view.getUint32(offset + ARP_TARGET_IP);
export const readArpSenderMacHigh = (view: DataView, offset: number): number => view.getUint16(offset + SENDER_MAC);
export const readArpSenderMacLow = (view: DataView, offset: number): number => view.getUint32(offset + SENDER_MAC + 2);

/** Writes a whole reply: `sender` says to `target` that it has `senderIp`. MACs are 48-bit numbers, IPs 32-bit ones. */
export function writeArpReply(
  view: DataView,
  offset: number,
  sender: number,
  senderIp: number,
  target: number,
  targetIp: number,
): void {
  view.setUint32(offset, ETHERNET_IPV4_HIGH);
  view.setUint16(offset + 4, ETHERNET_IPV4_LOW);
  view.setUint16(offset + OPERATION, ARP_REPLY);
  writeMac(view, offset + SENDER_MAC, sender);
  view.setUint32(offset + ARP_SENDER_IP, senderIp);
  writeMac(view, offset + TARGET_MAC, target);
  view.setUint32(offset + ARP_TARGET_IP, targetIp);
}
