/** `capture`: passing frames as lines for people, or as a file for Wireshark, until stopped. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, Failure } from '../../shared/failure.ts';
import { concat, encodeEnd, type PacketBlock } from '../capture/pcapng.ts';
import { type Block, PcapngReader } from '../capture/pcapng-reader.ts';
import { formatCaptureQuery } from '../capture/request.ts';
import { summarize } from '../capture/summary.ts';
import { openLocalStream } from '../control/local-stream.ts';
import { checkSocketPath, configStateFolder, SOCKET_FILE } from '../control/state-folder.ts';
import { EXIT_FAILED, EXIT_OK } from './exit-code.ts';

export interface CaptureFlags {
  readonly state: string;
  /** The file of an agent that runs by one. */
  readonly config?: string;
  readonly vni: number;
  readonly mac: readonly string[];
  readonly snap: number;
  readonly count?: number;
  /** A file, or `-` for the standard output. */
  readonly write?: string;
}

export interface CaptureTerminal {
  out(text: string | Uint8Array): void;
  error(text: string): void;
  /** Aborted by Ctrl-C, or once nobody reads the output. */
  readonly stop: AbortSignal;
}

/** @returns 0 where it was stopped or has its count, 1 where the agent ended it. @throws Failure */
export async function captureFrames(flags: CaptureFlags, uid: number, terminal: CaptureTerminal): Promise<number> {
  const folder = flags.config === undefined ? flags.state : await configStateFolder(flags.config, uid);
  checkSocketPath(folder);
  const query = formatCaptureQuery({ vni: flags.vni, macs: flags.mac, snapLength: flags.snap });
  const stream = await openLocalStream(join(folder, SOCKET_FILE), `/capture?${query}`);
  const stop = (): void => void stream.destroy();
  terminal.stop.addEventListener('abort', stop);
  const sink = await openSink(flags.write, terminal);
  terminal.error(`capturing VNI ${flags.vni}, until Ctrl-C\n`);
  const reader = new PcapngReader();
  const seen = new Seen(flags.count ?? Number.POSITIVE_INFINITY);
  try {
    for await (const chunk of untilBroken(stream)) {
      await sink.take(seen.take(reader.feed(chunk)));
      if (seen.isComplete) return EXIT_OK;
    }
    if (terminal.stop.aborted) return EXIT_OK;
    terminal.error(`${seen.hasEnd ? 'the agent stopped' : 'the agent died'}: the capture ends here\n`);
    return EXIT_FAILED;
  } finally {
    stream.destroy();
    terminal.stop.removeEventListener('abort', stop);
    if (!seen.hasEnd) await sink.take([seen.end(Date.now())]);
    await sink.close();
    terminal.error(`${seen.frames} frames, and ${seen.missed} that passed too fast to be taken\n`);
  }
}

/** What was taken of a capture so far. */
class Seen {
  frames = 0;
  missed = 0;
  /** True once the agent said that it ends. */
  hasEnd = false;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isComplete(): boolean {
    return this.frames >= this.#limit;
  }

  /** @returns the blocks up to the last frame that is wanted. */
  take(blocks: readonly Block[]): readonly Block[] {
    for (const [i, block] of blocks.entries()) {
      if (this.isComplete) return blocks.slice(0, i);
      if (block.kind === 'packet') {
        this.frames++;
        this.missed += block.packet.missed;
      } else if (block.kind === 'end') {
        this.missed = block.missed;
        this.hasEnd = true;
      }
    }
    return blocks;
  }

  /** What a file ends with whose agent did not end it. @param now milliseconds since 1970. */
  end(now: number): Block {
    return { kind: 'end', missed: this.missed, raw: encodeEnd(now * 1000, this.frames, this.missed) };
  }
}

/** A stream that breaks off ends there. */
async function* untilBroken(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(() => ({ done: true as const, value: undefined }));
    if (next.done === true) return;
    yield next.value;
  }
}

interface Sink {
  take(blocks: readonly Block[]): Promise<void>;
  close(): Promise<void>;
}

async function openSink(path: string | undefined, terminal: CaptureTerminal): Promise<Sink> {
  const nothing = async (): Promise<void> => undefined;
  if (path === undefined) {
    const show = async (blocks: readonly Block[]): Promise<void> => {
      const lines = blocks.flatMap((block) => (block.kind === 'packet' ? `${formatPacket(block.packet)}\n` : []));
      if (lines.length > 0) terminal.out(lines.join(''));
    };
    return { take: show, close: nothing };
  }
  if (path === '-') return { take: async (blocks) => terminal.out(rawOf(blocks)), close: nothing };
  const failed = (error: unknown): never => {
    throw new Failure('failed', `--write ${path} can't be written (${errorCode(error)})`, error);
  };
  // It is the tenant's traffic: nobody else's to read.
  const file = await open(path, 'w', 0o600).catch(failed);
  return { take: (blocks) => file.writeFile(rawOf(blocks)).catch(failed), close: () => file.close() };
}

function rawOf(blocks: readonly Block[]): Uint8Array {
  return concat(blocks.map(({ raw }) => raw));
}

/** `12:34:56.123456 blue0 > 192.0.2.2:4789  02:00:00:00:00:01 > …` */
export function formatPacket({ time, bytes, length, comment }: PacketBlock): string {
  const date = new Date(time / 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0'));
  const micros = String(Math.floor(time) % 1_000_000).padStart(6, '0');
  return `${clock.join(':')}.${micros} ${comment}  ${summarize(bytes, length)}`;
}
