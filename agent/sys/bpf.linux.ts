/** bpf(2): loading a program that looks at packets (linux/bpf.h). */
import { Arena } from './arena.linux.ts';
import { checked } from './errno.linux.ts';
import { syscall } from './libc.linux.ts';

const SYS_BPF = process.arch === 'arm64' ? 280 : 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_SOCKET_FILTER = 1;
/** `union bpf_attr` as far as it is used: type, instruction count, instructions, licence. */
const ATTRIBUTES_SIZE = 48;
const INSTRUCTION_SIZE = 8;
const MAX_INSTRUCTIONS = 128;

/** Kept for good: memory that a system call reads must not be collected under it. */
const arena = new Arena(new ArrayBuffer(2048));
const attributes = arena.take(ATTRIBUTES_SIZE);
const license = arena.take(4);
const program = arena.take(MAX_INSTRUCTIONS * INSTRUCTION_SIZE);
arena.bytes.set(new TextEncoder().encode('GPL'), license);

/** One instruction: `dst` and `src` are registers, `jump` counts instructions. */
export interface BpfInstruction {
  readonly code: number;
  readonly dst?: number;
  readonly src?: number;
  readonly jump?: number;
  readonly value?: number;
}

/**
 * @returns the program's descriptor.
 * @throws SysError: EPERM without CAP_BPF, ENOSYS, EINVAL …
 */
export function loadSocketFilter(instructions: readonly BpfInstruction[]): number {
  const { view } = arena;
  for (const [i, { code, dst = 0, src = 0, jump = 0, value = 0 }] of instructions.entries()) {
    const at = program + i * INSTRUCTION_SIZE;
    view.setUint8(at, code);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, jump, true);
    view.setInt32(at + 4, value, true);
  }
  view.setUint32(attributes, BPF_PROG_TYPE_SOCKET_FILTER, true);
  view.setUint32(attributes + 4, instructions.length, true);
  view.setBigUint64(attributes + 8, BigInt(arena.address + program), true);
  view.setBigUint64(attributes + 16, BigInt(arena.address + license), true);
  return checked('bpf', syscall(SYS_BPF, BPF_PROG_LOAD, arena.address + attributes, ATTRIBUTES_SIZE));
}
