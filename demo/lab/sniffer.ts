/** Frames of one interface, as they are seen. */
import type { ProbeEvent, SniffRequest, SniffResult } from '../probes/protocol.ts';
import type { Activity, Probe } from './probe.ts';

export interface Frame {
  /** `in`: the interface received it; `out`: its host sent it. */
  readonly direction: 'in' | 'out';
  /** On the wire; `bytes` may be cut shorter. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export class Sniffer {
  readonly frames: Frame[] = [];
  readonly #activity: Activity<SniffResult>;
  readonly #listening: Promise<void>;
  #onFrames: () => void = () => undefined;

  /** Use `Site.sniff`, which waits until it listens. */
  constructor(probe: Probe, request: SniffRequest) {
    let listening: () => void = () => undefined;
    this.#listening = new Promise((resolve) => {
      listening = resolve;
    });
    this.#activity = probe.start(request, (event) => {
      if (event.event === 'sniffing') listening();
      if (event.event === 'frames') this.#take(event.frames);
    });
  }

  async listening(): Promise<this> {
    await Promise.race([this.#listening, this.#activity.result]);
    return this;
  }

  /** The first frame that `matches`, seen already or to come. @throws Error after `timeoutMs`. */
  async frame(matches: (frame: Frame) => boolean, timeoutMs = 5000): Promise<Frame> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.frames.find(matches);
      if (found !== undefined) return found;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`none of ${this.frames.length} frames matched within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#onFrames = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** @returns all frames that were seen up to now. */
  async stop(): Promise<readonly Frame[]> {
    await this.#activity.stop();
    return this.frames;
  }

  #take(frames: Extract<ProbeEvent, { event: 'frames' }>['frames']): void {
    for (const { direction, length, hex } of frames) {
      const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
      this.frames.push({ direction, length, bytes, view: new DataView(bytes.buffer) });
    }
    this.#onFrames();
  }
}
