/** `overlane-agent capture` at a site with traffic. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Block, PcapngReader } from '../../agent/capture/pcapng-reader.ts';
import { summarize } from '../../agent/capture/summary.ts';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { missingProgram } from '../lab/missing-program.ts';
import { config, startAgent } from './agents.ts';

const VNI = 4242;
const [A, B] = ['192.168.9.1', '192.168.9.2'];
const tshark = missingProgram('tshark', 'tshark');

describeTapLab('a capture', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;
  let agent: Program;

  beforeAll(async () => {
    lab = await createLab();
    [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    agent = await startAgent(a, config(a.v4, VNI, [b.v4]), `${A}/24`);
    await b.kernelVxlan({ dev: 'vx', vni: VNI, remotes: [a.v4], addresses: [`${B}/24`], mtu: 1450 });
  });
  afterAll(() => lab.dispose());

  function startCapture(vni: number, ...flags: readonly string[]): Program {
    return a.spawn([...AGENT_ARGV, 'capture', '--vni', String(vni), '--config', join(lab.folder, 'a.json'), ...flags]);
  }

  async function capture(...flags: readonly string[]): Promise<Program> {
    const program = startCapture(VNI, ...flags);
    await program.line(/^capturing VNI 4242/);
    return program;
  }

  it('shows what passes, both ways, with where from and where to, until Ctrl-C', async () => {
    const program = await capture();
    await a.ping(B, { count: 1 });
    const request = await program.line(/echo request/);
    const reply = await program.line(/echo reply/);
    const clock = String.raw`\d\d:\d\d:\d\d\.\d{6}`;
    const macs = '[0-9a-f:]{17} > [0-9a-f:]{17}';
    expect(request).toMatch(
      new RegExp(
        `^${clock} tap > ${b.v4}:4789  ${macs}, IPv4 ${A} > ${B}, ICMP echo request, id \\d+, seq \\d+, 98 bytes$`,
      ),
    );
    expect(reply).toMatch(new RegExp(`^${clock} ${b.v4}:4789 > tap  ${macs}, IPv4 ${B} > ${A}, ICMP echo reply, `));
    expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(program.lines.at(-1)).toMatch(/^\d+ frames, and 0 that passed too fast to be taken$/);
  });

  it('can be of one MAC alone', async () => {
    const { address } = await a.link('tap');
    const other = await capture('--mac', '02:00:00:00:00:99');
    const own = await capture('--mac', String(address), '--count', '2');
    await a.ping(B, { count: 1 });
    expect(await own.ended).toMatchObject({ code: 0 });
    await other.stop('SIGINT');
    expect(other.lines).toEqual([
      expect.stringMatching(/^capturing/),
      '0 frames, and 0 that passed too fast to be taken',
    ]);
  });

  it('goes into a file that only its owner may read, and that our reader reads', async () => {
    const { file, blocks } = await captureToFile();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const lines = blocks.flatMap((block) =>
      block.kind === 'packet' ? summarize(block.packet.bytes, block.packet.length) : [],
    );
    expect(lines).toHaveLength(40);
    expect(lines.filter((line) => line.includes('echo re'))).not.toHaveLength(0);
    expect(blocks.at(-1)).toMatchObject({ kind: 'end', missed: 0 });
  });

  it.skipIf(tshark !== null)(`goes into a file that Wireshark reads${tshark ?? ''}`, async () => {
    const { file, blocks } = await captureToFile();
    const fields = [
      'frame.len',
      'frame.interface_name',
      'frame.comment',
      'frame.packet_flags_direction',
      'frame.time_epoch',
    ];
    const said = await a.exec(['tshark', '-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])], {
      env: { HOME: lab.folder },
    });
    const rows = said.split('\n').flatMap((line) => (line.includes('\t') ? [line.split('\t')] : []));
    const packets = blocks.flatMap((block) => (block.kind === 'packet' ? [block.packet] : []));
    expect(
      rows.map(([length, name, comment, direction]) => [Number(length), name, comment, Number(direction)]),
    ).toEqual(packets.map((packet) => [packet.length, 'vni-4242 (VNI 4242)', packet.comment, packet.direction]));
    for (const [i, row] of rows.entries()) expect(Number(row[4]) * 1e6).toBeCloseTo(packets[i]!.time, -1);
  });

  it('never holds up what it watches: what its reader is too slow for is missed, and counted', async () => {
    const program = await capture('--snap', '65549');
    program.child.kill('SIGSTOP');
    await a.transfer(b, B, 40_000_000);
    program.child.kill('SIGCONT');
    const marker = 77;
    await a.ping(B, { count: 1, size: marker });
    // It may have no room for the first ones still.
    const seen = program.line(new RegExp(`echo request.* ${14 + 20 + 8 + marker} bytes`), 30_000);
    let isSeen = false;
    void seen.then(() => {
      isSeen = true;
    });
    while (!isSeen) await a.ping(B, { count: 1, size: marker });
    await program.stop('SIGINT');
    const missed = /and (\d+) that passed/.exec(program.lines.at(-1) ?? '')?.[1];
    expect(Number(missed)).toBeGreaterThan(0);
  });

  it('of a network that is not carried here is refused', async () => {
    const program = startCapture(99);
    expect(await program.ended).toMatchObject({ code: 2 });
    expect(program.lines).toEqual(['overlane-agent: this agent carries no network with VNI 99']);
  });

  it.each([
    ['stops', 'SIGTERM'],
    ['dies', 'SIGKILL'],
  ] as const)('ends with a line that says so, and a file that is whole, where the agent %s', async (_how, signal) => {
    if (!agent.isRunning) agent = await a.agent({ config: config(a.v4, VNI, [b.v4]) });
    const file = join(lab.folder, `${signal}.pcapng`);
    const program = await capture('--write', file);
    await agent.stop(signal);
    expect(await program.ended).toEqual({ code: 1, signal: null });
    const how = signal === 'SIGTERM' ? 'stopped' : 'died';
    expect(program.lines).toContain(`the agent ${how}: the capture ends here`);
    expect((await blocksOf(file)).at(-1)).toMatchObject({ kind: 'end' });
  });

  async function captureToFile(): Promise<{ readonly file: string; readonly blocks: Block[] }> {
    const file = join(lab.folder, 'frames.pcap');
    const program = await capture('--write', file, '--count', '40');
    await a.ping(B, { count: 25 });
    expect(await program.ended).toMatchObject({ code: 0 });
    return { file, blocks: await blocksOf(file) };
  }
});

async function blocksOf(file: string): Promise<Block[]> {
  return new PcapngReader().feed(await readFile(file));
}
