/** The demo as a person runs it: it enters namespaces of its own, inside those of the tests. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Program } from '../../demo/lab/program.ts';
import { until } from '../../demo/lab/until.ts';
import { describeLab, describeTapLab } from '../lab/describe-lab.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
const UP = /It stays up/;
const UP_WITHIN_MS = 50_000;

let folder: string;
let demo: Program | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'overlane-demo-'));
});
afterEach(async () => {
  await demo?.stop('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function start(...argv: readonly string[]): Program {
  demo = new Program([process.execPath, DEMO, ...argv], { env: { TMPDIR: folder } });
  return demo;
}

describeTapLab('the demo', () => {
  it('with --once shows traffic between all pairs, a transfer and isolation, and ends with 0', async () => {
    const { lines } = await start('--once').succeeded();
    const output = lines.join('\n');
    for (const pair of ['oslo → lima', 'lima → kyoto', 'kyoto → oslo']) {
      expect(output).toMatch(new RegExp(`blue +${pair} +\\d+\\.\\d\\d +\\d+\\.\\d\\d +\\d+\\.\\d\\d +10/10`));
    }
    expect(output).toMatch(/blue +TCP oslo → lima +20 MB in [\d.]+ s, \d+ Mbit\/s, SHA-256 equal/);
    expect(output).toMatch(/green +quito pings blue’s addresses +0 of 9 answered/);
    expect(output).toMatch(/green +quito’s frames +[1-9]\d* on green at kyoto, 0 on blue anywhere/);
    expect(output).not.toContain('\x1b[');
    expect(await readdir(folder)).toEqual([]);
  });

  it('stays up, answers at the address it prints to the key it names, and removes all at SIGINT', async () => {
    const program = start();
    const url = /http:\S+(?=\/docs)/.exec(await program.line(/API +http/, UP_WITHIN_MS))![0];
    const keyPath = (await program.line(/operator key/)).trim().split(/ +/).at(-1)!;
    await program.line(UP);
    const key = (await readFile(keyPath, 'utf8')).trim();
    const answer = await fetch(`${url}/v1/tenants/acme/sites`, { headers: { authorization: `Bearer ${key}` } });
    expect(await answer.json()).toMatchObject({ items: Array.from({ length: 4 }, () => ({ status: 'online' })) });
    expect(await program.stop('SIGINT', 20_000)).toEqual({ code: 0, signal: null });
    expect(await readdir(folder)).toEqual([]);
    expect(await processesUsing(folder)).toEqual([]);
  });

  it('leaves no process and no file when it is killed', async () => {
    const program = start();
    await program.line(/agents running/, UP_WITHIN_MS);
    expect(await processesUsing(folder)).not.toEqual([]);
    program.child.kill('SIGKILL');
    await until('all that the demo made to be gone', async () => {
      return (await readdir(folder)).length === 0 && (await processesUsing(folder)).length === 0;
    });
  });
});

describeLab('the demo where namespaces are not allowed', () => {
  it('says which setting forbids them, and ends with 1', async () => {
    // Counted per user namespace: in one of its own the limit holds for nobody else.
    const forbid = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$0" "$@"';
    const inside = [process.execPath, DEMO, '--once'];
    demo = new Program(['unshare', '--user', '--map-root-user', 'sh', '-c', forbid, ...inside]);
    expect(await demo.ended).toEqual({ code: 1, signal: null });
    expect(demo.lines.join('\n')).toContain('Missing: user.max_net_namespaces is 0 (as root: sysctl -w');
  });
});

/** The ids of all processes, in whatever namespaces, whose environment names `path`. */
async function processesUsing(path: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const environments = await Promise.all(ids.map((id) => readFile(`/proc/${id}/environ`, 'utf8').catch(() => '')));
  return ids.filter((_, i) => environments[i]?.includes(path));
}
