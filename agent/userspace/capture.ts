/** A capture over all of the data path's threads: each writes into a ring of its own, and here they are read as one. */
import { CaptureRingReader, createCaptureRing } from '../datapath/capture-ring.ts';
import type { Capture, CapturedFrame, CaptureRequest } from '../datapath/datapath.ts';
import type { ToThread } from './protocol.ts';

/** What a thread's ring holds between two reads. */
const RING_BYTES = 8 * 1024 * 1024;

/** How a thread is told. */
export interface CapturingThread {
  /** Resolves when the thread captures. */
  begin(capture: Omit<Extract<ToThread, { type: 'capture' }>, 'type' | 'id'>): Promise<unknown>;
  end(number: number): void;
}

let captures = 0;

/** Resolves when all threads capture. */
export async function openCapture(request: CaptureRequest, threads: readonly CapturingThread[]): Promise<Capture> {
  const number = captures++;
  const clockOffset = wallClockOffset();
  const rings = threads.map(() => createCaptureRing(RING_BYTES));
  await Promise.all(threads.map((thread, i) => thread.begin({ number, request, ring: rings[i]!, clockOffset })));
  const readers = rings.map((ring) => new CaptureRingReader(ring));
  /** By thread: what had been dropped when its last frame was taken. */
  const dropped = readers.map(() => 0);
  const read = (): CapturedFrame[] =>
    readers
      .flatMap((reader, thread) => reader.read().map((frame) => ({ frame, thread })))
      .sort((a, b) => a.frame.time - b.frame.time)
      .map(({ frame, thread }) => {
        dropped[thread] = frame.dropped;
        return { ...frame, dropped: sum(dropped) };
      });
  return {
    read,
    get dropped() {
      return sum(readers.map((reader) => reader.dropped));
    },
    end: () => {
      for (const thread of threads) thread.end(number);
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The clock that threads share goes on from when the process began: by how much the wall clock was set since, in microseconds. */
function wallClockOffset(): number {
  const offsetMs = Date.now() - (performance.timeOrigin + performance.now());
  // Date.now() is whole milliseconds.
  return Math.abs(offsetMs) < 2 ? 0 : offsetMs * 1000;
}
