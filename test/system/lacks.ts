/** What this machine lacks for tests of the kernel data path, in words that say what to install. */
import { spawnSync } from 'node:child_process';
import { missingForKernel } from '../../agent/kernel/probe.ts';
import { PATH } from '../../demo/lab/ip.ts';

/** @returns what is missing, or null. Asked inside a lab, where it may be tried. */
export function datapathLacks(): string | null {
  const nft = spawnSync('nft', ['--version'], { env: { PATH } });
  return nft.status === 0 ? missingForKernel() : 'the program nft (package nftables)';
}
