import { expect, it } from 'vitest';
import { CaptureRingWriter, PLACE_HERE } from '../../../agent/datapath/capture-ring.ts';
import { type CapturingThread, openCapture } from '../../../agent/userspace/capture.ts';

const REQUEST = { vni: 9, macs: [], snapLength: 100 };

it('frames of several threads are read as one capture: by their time, with the drops of all', async () => {
  const writers: CaptureRingWriter[] = [];
  const ended: number[] = [];
  const thread: CapturingThread = {
    begin: async ({ ring }) => void writers.push(new CaptureRingWriter(ring)),
    end: (number) => void ended.push(number),
  };
  const capture = await openCapture(REQUEST, [thread, thread]);
  const pass = (writer: number, time: number, length = 4): void =>
    writers[writer]!.write(time, PLACE_HERE, '', 0, PLACE_HERE, '', 0, new Uint8Array(length), length);
  const read = () => capture.read().map(({ time, dropped }) => [time, dropped]);

  pass(0, 1);
  pass(1, 2);
  pass(0, 3);
  // Larger than any ring.
  pass(1, 4, 16 * 1024 * 1024);
  pass(0, 5);
  pass(1, 6);
  expect(read()).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
    [5, 0],
    [6, 1],
  ]);
  pass(0, 7, 16 * 1024 * 1024);
  pass(0, 8);
  expect(read()).toEqual([[8, 2]]);
  expect(capture.dropped).toBe(2);
  capture.end();
  const other = await openCapture(REQUEST, [thread]);
  other.end();
  expect(ended[0]).toBe(ended[1]);
  expect(ended[2]).not.toBe(ended[0]);
});
