/** The units, as systemd itself judges them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_SERVICE, unitText } from '../../agent/service/unit.ts';
import { AGENT_ARGV } from '../../demo/lab/site.ts';
import { unitOf } from '../../shared/service/service.ts';
import { GATEWAY_SERVICE, unitText as gatewayUnitText } from '../../src/hosts/node/service/unit.ts';

/** `security` shows 0 (nothing is allowed) to 10 as a hundredth of this. */
const MOST_EXPOSURE = 20;
const missing = spawnSync('systemd-analyze', ['--version']).status !== 0;

describe.skipIf(missing).each([
  { service: AGENT_SERVICE, text: unitText(AGENT_ARGV), rated: /1\.\d OK/ },
  { service: GATEWAY_SERVICE, text: gatewayUnitText(AGENT_ARGV), rated: /1\.\d OK/ },
])(
  `the unit of $service.name${missing ? ' [skipped, missing: the package systemd]' : ''}`,
  ({ service, text, rated }) => {
    let folder: string;
    let file: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'overlane-'));
      file = join(folder, unitOf(service));
      writeFileSync(file, text);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const analyze = (...argv: readonly string[]): { readonly status: number | null; readonly said: string } => {
      const { status, stdout, stderr } = spawnSync('systemd-analyze', [...argv, file], { encoding: 'utf8' });
      return { status, said: stdout + stderr };
    };

    it('is one that systemd understands, to the last word', () => {
      expect(analyze('verify', '--man=no')).toEqual({ status: 0, said: '' });
    });

    it('leaves the program no more exposed than what it does asks for', () => {
      const { status, said } = analyze('security', '--offline=yes', `--threshold=${MOST_EXPOSURE}`, '--no-pager');
      expect(said.split('\n').find((line) => line.includes('Overall exposure level'))).toMatch(rated);
      expect(status).toBe(0);
    });
  },
);
