/** The unit, as systemd itself judges it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, unitText } from '../../agent/service/unit.ts';
import { AGENT_ARGV } from '../../demo/lab/site.ts';

/** `security` shows 0 (nothing is allowed) to 10 as a hundredth of this. */
const MOST_EXPOSURE = 20;
const missing = spawnSync('systemd-analyze', ['--version']).status !== 0;

describe.skipIf(missing)(`the unit${missing ? ' [skipped, missing: the package systemd]' : ''}`, () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'overlane-'));
    file = join(folder, SERVICE);
    writeFileSync(file, unitText(AGENT_ARGV));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const analyze = (...argv: readonly string[]): { readonly status: number | null; readonly said: string } => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...argv, file], { encoding: 'utf8' });
    return { status, said: stdout + stderr };
  };

  it('is one that systemd understands, to the last word', () => {
    expect(analyze('verify', '--man=no')).toEqual({ status: 0, said: '' });
  });

  it('leaves the agent no more exposed than what it does asks for', () => {
    const { status, said } = analyze('security', '--offline=yes', `--threshold=${MOST_EXPOSURE}`, '--no-pager');
    expect(said).toMatch(/Overall exposure level for overlane-agent\.service: 1\.\d OK/);
    expect(status).toBe(0);
  });
});
