/** From the data path's frames to the lines of `overlane-agent capture`, over the agent's socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAgentProcess } from '../../../agent/cli/agent-process.ts';
import { type CaptureFlags, captureFrames } from '../../../agent/cli/capture.ts';
import { openLocalStream } from '../../../agent/control/local-stream.ts';
import type { CapturedFrame } from '../../../agent/datapath/datapath.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import { ethernet, ipv4, udp } from '../frames.ts';
import { controlBy } from './agent-control.ts';
import { network, snapshot } from './tables.ts';

let folder: string;
let datapath: InMemoryDatapath;
let exit: Promise<number>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'overlane-test-'));
  datapath = new InMemoryDatapath();
  await new Promise<void>((running) => {
    const log = (_level: string, message: string): void => {
      if (message === 'running') running();
    };
    exit = runAgentProcess({
      folder,
      log,
      openDatapath: async () => datapath,
      control: () => controlBy(snapshot('c1', [network(9)]), datapath, log),
    });
  });
});
afterEach(async () => {
  process.emit('SIGTERM');
  await exit;
  rmSync(folder, { recursive: true, force: true });
});

const TIME = new Date(2026, 0, 2, 3, 4, 5, 678).getTime() * 1000 + 901;
const FRAME: CapturedFrame = {
  time: TIME,
  from: { port: 'blue0' },
  to: { vtep: { address: '2001:db8::2', port: 4789 } },
  length: 42,
  bytes: ethernet(0x0200_0000_0002, 0x0200_0000_0001, 0x0800, ipv4(udp())),
  dropped: 0,
};

interface Running {
  readonly lines: string[];
  readonly said: string[];
  readonly end: Promise<number>;
  stop(): void;
}

/** Resolves when it captures. */
async function capture(flags: Partial<CaptureFlags> = {}): Promise<Running> {
  const stopped = new AbortController();
  const lines: string[] = [];
  const said: string[] = [];
  let end: Promise<number> | undefined;
  await new Promise<void>((begun, failed) => {
    end = captureFrames({ state: folder, vni: 9, mac: [], snap: 2048, ...flags }, process.getuid?.() ?? 0, {
      out: (text) =>
        lines.push(
          ...String(text)
            .split('\n')
            .filter((line) => line !== ''),
        ),
      error: (text) => {
        said.push(text.trim());
        begun();
      },
      stop: stopped.signal,
    });
    end.catch(failed);
  });
  return { lines, said, end: end!, stop: () => stopped.abort() };
}

/** Resolves when the data path was told of the end of every capture. */
function untilNobodyWatches(): Promise<void> {
  return new Promise((resolve) => {
    const remove = datapath.watches.delete.bind(datapath.watches);
    datapath.watches.delete = (watch) => {
      const removed = remove(watch);
      if (datapath.watches.size === 0) resolve();
      return removed;
    };
  });
}

test('a frame becomes a line with its time, where from, where to, and what it is', async () => {
  const { lines, said, end } = await capture({ count: 2 });
  datapath.pass(9, FRAME);
  datapath.pass(9, { ...FRAME, from: 'agent', to: { port: 'blue0' }, dropped: 3 });
  datapath.pass(9, FRAME);
  expect(await end).toBe(0);
  const what = '02:00:00:00:00:01 > 02:00:00:00:00:02, IPv4 10.0.0.1:40000 > 10.0.0.2:53, UDP, length 0, 42 bytes';
  expect(lines).toEqual([
    `03:04:05.678901 blue0 > [2001:db8::2]:4789  ${what}`,
    `03:04:05.678901 agent > blue0  ${what}`,
  ]);
  expect(said).toEqual(['capturing VNI 9, until Ctrl-C', '2 frames, and 3 that passed too fast to be taken']);
});

test('a capture that is stopped ends at the agent too, though no frame passes', async () => {
  const running = await capture();
  expect(datapath.watches.size).toBe(1);
  const ended = untilNobodyWatches();
  running.stop();
  expect(await running.end).toBe(0);
  await ended;
});

test('an agent that stops ends it in order, with what passed before', async () => {
  const { lines, said, end } = await capture();
  datapath.pass(9, FRAME);
  process.emit('SIGTERM');
  expect(await end).toBe(1);
  expect(lines).toHaveLength(1);
  expect(said.slice(1)).toEqual([
    'the agent stopped: the capture ends here',
    '1 frames, and 0 that passed too fast to be taken',
  ]);
});

test('what can not be captured is refused, with what would be right', async () => {
  await expect(capture({ vni: 10 })).rejects.toMatchObject({
    kind: 'configuration',
    message: 'this agent carries no network with VNI 10',
  });
  const ask = (query: string) => openLocalStream(join(folder, 'agent.sock'), `/capture?${query}`);
  await expect(ask('vni=9&snapLength=1')).rejects.toThrow('snapLength: must be a whole number of bytes from 64');
  await expect(ask('')).rejects.toThrow('vni: must be');
  await expect(ask(`vni=9&snapLength=64${'&mac=02:00:00:00:00:01'.repeat(17)}`)).rejects.toThrow(
    'macs: must be at most 16',
  );
});

test('no more than eight run at once, and one that ended makes room', async () => {
  const running = [];
  for (let i = 0; i < 8; i++) running.push(await capture({ count: 1 }));
  await expect(capture()).rejects.toThrow('8 captures run already');
  const ended = untilNobodyWatches();
  datapath.pass(9, FRAME);
  await Promise.all(running.map(({ end }) => end));
  await ended;
  const next = await capture({ count: 1 });
  datapath.pass(9, FRAME);
  expect(await next.end).toBe(0);
});
