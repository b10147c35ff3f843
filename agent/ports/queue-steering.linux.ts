/**
 * Which queue of a TAP a frame of the host goes to: the same for all frames of a flow, by a program that the kernel runs for each.
 *
 * Left alone, the kernel moves a flow to the queue where its answers are written, and so may reorder it each time that changes: when the
 * first answer comes, and when none came for three seconds (drivers/net/tun.c, `tun_flow_update`).
 */
import { type BpfInstruction, loadSocketFilter } from '../sys/bpf.linux.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '../wire/ethernet.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, IPV6_SOURCE } from '../wire/ipv6.ts';

/** What is loaded by an instruction of the old packet filter ends up in R0; R6 has to be the packet. */
const R0 = 0;
const R1 = 1;
const PACKET = 6;
const HASH = 7;
const PROTOCOL = 8;
const PORTS = 9;

/** Codes of instructions (linux/bpf_common.h, linux/bpf.h): class, operation or size, source. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_WORD_INDIRECT = 0x40;
const MOVE = 0xbf;
const MOVE_VALUE = 0xb7;
/** On 32 bits. */
const ADD_VALUE = 0x04;
const MULTIPLY_VALUE = 0x24;
const AND_VALUE = 0x54;
const SHIFT_LEFT_VALUE = 0x64;
const SHIFT_RIGHT_VALUE = 0x74;
const XOR = 0xac;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_NOT_EQUAL = 0x55;
const EXIT = 0x95;

const IP = ETHERNET_HEADER_LENGTH;
const FRAGMENT_BITS = 0x3fff;
const PRIME = 0x9e3779b1 | 0;

/** Instructions with names for the places that they jump to. */
type Line =
  | BpfInstruction
  | { readonly code: number; readonly dst?: number; readonly value?: number; readonly to: string };
type Part = Line | { readonly label: string };

/** Mixes R0 into the hash. */
const mix: readonly Part[] = [
  { code: XOR, dst: HASH, src: R0 },
  { code: MULTIPLY_VALUE, dst: HASH, value: PRIME },
];
const mixWordAt = (offset: number): readonly Part[] => [{ code: LOAD_WORD, value: offset }, ...mix];

/** By the same fields as `hashFlow`: addresses and ports; of fragments the addresses; else the MAC addresses. A packet cut short is 0. */
const PROGRAM: readonly Part[] = [
  { code: MOVE, dst: PACKET, src: R1 },
  { code: MOVE_VALUE, dst: HASH, value: 0 },
  { code: LOAD_HALF, value: 12 },
  { code: JUMP_IF_EQUAL, dst: R0, value: ETHERTYPE_IPV4, to: 'ipv4' },
  { code: JUMP_IF_EQUAL, dst: R0, value: ETHERTYPE_IPV6, to: 'ipv6' },
  ...mixWordAt(2),
  ...mixWordAt(8),
  { code: JUMP, to: 'end' },

  { label: 'ipv4' },
  ...mixWordAt(IP + 12),
  ...mixWordAt(IP + 16),
  { code: LOAD_BYTE, value: IP + 9 },
  { code: MOVE, dst: PROTOCOL, src: R0 },
  { code: LOAD_HALF, value: IP + 6 },
  { code: AND_VALUE, dst: R0, value: FRAGMENT_BITS },
  { code: JUMP_IF_NOT_EQUAL, dst: R0, value: 0, to: 'end' },
  { code: LOAD_BYTE, value: IP },
  { code: AND_VALUE, dst: R0, value: 0x0f },
  { code: SHIFT_LEFT_VALUE, dst: R0, value: 2 },
  { code: ADD_VALUE, dst: R0, value: IP },
  { code: MOVE, dst: PORTS, src: R0 },
  { code: JUMP, to: 'ports' },

  { label: 'ipv6' },
  ...Array.from({ length: 8 }, (_, word) => mixWordAt(IP + IPV6_SOURCE + word * 4)).flat(),
  { code: LOAD_BYTE, value: IP + 6 },
  { code: MOVE, dst: PROTOCOL, src: R0 },
  { code: MOVE_VALUE, dst: PORTS, value: IP + IPV6_HEADER_LENGTH },

  { label: 'ports' },
  { code: JUMP_IF_EQUAL, dst: PROTOCOL, value: PROTOCOL_TCP, to: 'has ports' },
  { code: JUMP_IF_NOT_EQUAL, dst: PROTOCOL, value: PROTOCOL_UDP, to: 'end' },
  { label: 'has ports' },
  { code: LOAD_WORD_INDIRECT, src: PORTS, value: 0 },
  ...mix,

  { label: 'end' },
  { code: MOVE, dst: R0, src: HASH },
  // The kernel takes the low 16 bits modulo the number of queues; the high ones are mixed best.
  { code: SHIFT_RIGHT_VALUE, dst: R0, value: 16 },
  { code: EXIT },
];

/**
 * @returns the program's descriptor, for `TUNSETSTEERINGEBPF`.
 * @throws SysError: EPERM without CAP_BPF …
 */
export function loadQueueSteering(): number {
  return loadSocketFilter(assemble(PROGRAM));
}

function assemble(parts: readonly Part[]): BpfInstruction[] {
  const places = new Map<string, number>();
  const lines: Line[] = [];
  for (const part of parts) {
    if ('label' in part) places.set(part.label, lines.length);
    else lines.push(part);
  }
  return lines.map((line, i) => ('to' in line ? { ...line, jump: places.get(line.to)! - i - 1 } : line));
}
