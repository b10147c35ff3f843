/** Encrypted networks on a real underlay: what their sites carry, and what anyone else sees of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import type { Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { missingProgram } from '../lab/missing-program.ts';
import { Overlay } from './overlay.ts';

const MARK = new TextEncoder().encode('what only its tenant may read');
const missing = missingProgram('wireguard-go', 'wireguard-go');

(missing === null ? describeTapLab : describe.skip)(`sites of an encrypted network${missing ?? ''}`, () => {
  let lab: Lab;
  let overlay: Overlay;
  let a: Site;
  let b: Site;
  let agentB: Program;

  beforeAll(async () => {
    lab = await createLab();
    overlay = new Overlay(lab);
    await overlay.start();
    [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    await overlay.tenant('acme', 'blue');
    await overlay.call('POST', '/v1/tenants/acme/networks', { name: 'red', transport: 'wireguard' });
    await overlay.join('acme', a, { red: '192.168.8.1/24', blue: '192.168.9.1/24' });
    agentB = await overlay.join('acme', b, { red: '192.168.8.2/24', blue: '192.168.9.2/24' });
    await overlay.converged('acme');
  });
  afterAll(() => lab?.dispose());

  it('reach each other', async () => {
    await until('a ping', async () => (await a.ping('192.168.8.2', { count: 1, timeoutMs: 500 })).received > 0).catch(
      (e) => {
        console.log(lab.transcript());
        throw e;
      },
    );
    console.log(agentB.lines.join('\n'));
  });
});
