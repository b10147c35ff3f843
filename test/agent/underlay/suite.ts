/** What every underlay does, the one in memory and the one over UDP, so that the first can stand for the second in tests. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SendFailure, Underlay } from '../../../agent/underlay/underlay.ts';
import { createBatch, type PacketMemory, SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import { counting } from '../frames.ts';

const BATCH = 4;

export interface OpenUnderlay {
  readonly underlay: Underlay;
  /** What it sends from. */
  readonly memory: PacketMemory;
  /** Where in that memory there is room for `UNDERLAY_SLOTS` slots. */
  readonly base: number;
  readonly address: string;
  readonly port: number;
  /** The address as it shall be seen by who receives from it. */
  readonly words: readonly number[];
  /** Waits until something can be received. */
  readonly waitForDatagram: () => void;
}

interface Received {
  readonly payload: Uint8Array;
  readonly source: number[];
  readonly trafficClass: number;
}

export const UNDERLAY_SLOTS = 2 * BATCH;

/** @param open gives two underlays that reach each other over IPv4. */
export function describeUnderlay(name: string, open: () => readonly [OpenUnderlay, OpenUnderlay]): void {
  describe(name, () => {
    let a: OpenUnderlay;
    let b: OpenUnderlay;
    let failures: [number, SendFailure][];

    beforeEach(() => {
      [a, b] = open();
      failures = [];
    });
    afterEach(() => {
      a.underlay.close();
      b.underlay.close();
    });

    const slot = (from: OpenUnderlay, i: number): number => from.base + i * SLOT_SIZE + 64;
    const put = (from: OpenUnderlay, i: number, payload: Uint8Array): number => {
      from.memory.bytes.set(payload, slot(from, i));
      return slot(from, i);
    };
    const flush = (): void => a.underlay.flush((tag, failure) => failures.push([tag, failure]));

    /** What arrived, in calls of one batch each, until `count` are there. */
    function receive(at: OpenUnderlay, count: number): Received[][] {
      const batch = createBatch(at.memory, at.base + BATCH * SLOT_SIZE, BATCH);
      const calls: Received[][] = [];
      while (calls.flat().length < count) {
        at.waitForDatagram();
        expect(at.underlay.receive(batch)).toBe(batch.count);
        const call: Received[] = [];
        for (let i = 0; i < batch.count; i++) {
          const source = [...batch.source.subarray(i * 4, i * 4 + 4)];
          const end = batch.offset[i]! + batch.length[i]!;
          let start = batch.offset[i]!;
          do {
            const next = Math.min(end, start + batch.segmentSize[i]!);
            const payload = at.memory.bytes.slice(start, next);
            call.push({ payload, source, trafficClass: batch.trafficClass[i]! });
            start = next;
          } while (start < end);
        }
        calls.push(call);
      }
      return calls;
    }

    it('carries a datagram byte for byte, and says who sent it', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      a.underlay.send(put(a, 0, counting(100)), 100, to, 3, 0, 7);
      flush();
      expect(receive(b, 1)).toEqual([[{ payload: counting(100), source: a.words, trafficClass: 0 }]]);
      expect(failures).toEqual([]);
    });

    it('carries datagrams of one lane in order, a batch at a time', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      for (let i = 1; i <= 6; i++) a.underlay.send(put(a, i, counting(i)), i, to, 0, 0, 0);
      flush();
      const calls = receive(b, 6);
      expect(calls.map((call) => call.length)).toEqual([4, 2]);
      expect(calls.flat().map(({ payload }) => payload.length)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('sends the same bytes to as many as it is told', () => {
      const destinations = [a, b].map(({ address, port }) => a.underlay.addDestination(address, port));
      const at = put(a, 0, counting(50));
      for (const to of destinations) a.underlay.send(at, 50, to, 15, 0, 0);
      flush();
      for (const receiver of [a, b]) {
        expect(receive(receiver, 1).flat()).toEqual([{ payload: counting(50), source: a.words, trafficClass: 0 }]);
      }
    });

    it('sends nothing before it is flushed, and nothing twice', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      a.underlay.send(put(a, 0, counting(10)), 10, to, 0, 0, 0);
      const batch = createBatch(b.memory, b.base + BATCH * SLOT_SIZE, BATCH);
      expect(b.underlay.receive(batch)).toBe(0);
      expect(batch.count).toBe(0);
      flush();
      expect(receive(b, 1).flat()).toHaveLength(1);
      flush();
      expect(b.underlay.receive(batch)).toBe(0);
    });

    it('carries an empty datagram', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      a.underlay.send(slot(a, 0), 0, to, 0, 0, 0);
      flush();
      expect(receive(b, 1).flat()).toEqual([{ payload: new Uint8Array(), source: a.words, trafficClass: 0 }]);
    });

    it('carries a train as the datagrams that it is made of, in order, after what was queued before it', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      const failed = (tag: number, failure: SendFailure): void => void failures.push([tag, failure]);
      a.underlay.send(put(a, 0, counting(30)), 30, to, 2, 0, 0);
      a.underlay.sendTrain(put(a, 1, counting(250)), 250, 100, to, 2, 0, 0, failed);
      // The memory may be used again at once.
      a.underlay.sendTrain(put(a, 1, counting(90)), 90, 100, to, 2, 0, 0, failed);
      expect(
        receive(b, 5)
          .flat()
          .map(({ payload }) => payload),
      ).toEqual([
        counting(30),
        counting(250).subarray(0, 100),
        counting(250).subarray(100, 200),
        counting(250).subarray(200),
        counting(90),
      ]);
      expect(failures).toEqual([]);
    });

    it('carries the class of each, and puts datagrams of different classes into no train', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      const failed = (tag: number, failure: SendFailure): void => void failures.push([tag, failure]);
      const classes = [0, 2, 2, 3, 0xb8];
      for (const [i, trafficClass] of classes.entries()) {
        a.underlay.send(put(a, i, Uint8Array.of(i, i)), 2, to, 0, trafficClass, 0);
      }
      flush();
      a.underlay.sendTrain(put(a, 5, counting(250)), 250, 100, to, 0, 0xba, 0, failed);
      const seen = receive(b, 8).flat();
      expect(seen.map(({ trafficClass }) => trafficClass)).toEqual([...classes, 0xba, 0xba, 0xba]);
      expect(seen.slice(0, 5).map(({ payload }) => payload[0])).toEqual([0, 1, 2, 3, 4]);
      expect(failures).toEqual([]);
    });

    it('carries datagrams of one size to several, each in its order', () => {
      const [toB, toA] = [b, a].map(({ address, port }) => a.underlay.addDestination(address, port)) as [
        number,
        number,
      ];
      for (const [i, to] of [toB, toB, toA, toB, toB].entries()) {
        const at = slot(a, 0) + i * 50;
        a.memory.bytes.fill(i, at, at + 50);
        a.underlay.send(at, i === 4 ? 20 : 50, to, 0, 0, 0);
      }
      flush();
      const seen = (calls: { payload: Uint8Array }[][]) =>
        calls.flat().map(({ payload }) => [payload[0], payload.length]);
      expect(seen(receive(b, 4))).toEqual([
        [0, 50],
        [1, 50],
        [3, 50],
        [4, 20],
      ]);
      expect(seen(receive(a, 1))).toEqual([[2, 50]]);
    });

    it('gives one number to one address and port, until it was taken back as often as given', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      expect(a.underlay.addDestination(b.address, b.port)).toBe(to);
      const other = a.underlay.addDestination(b.address, b.port + 1);
      expect(other).not.toBe(to);
      a.underlay.removeDestination(to);
      expect(a.underlay.addDestination('10.99.0.1', 4789)).not.toBe(to);
      a.underlay.send(put(a, 0, counting(10)), 10, to, 0, 0, 0);
      flush();
      expect(receive(b, 1).flat()).toHaveLength(1);
    });

    it('gives a number again once nobody uses it, for where it is then', () => {
      const gone = a.underlay.addDestination(b.address, b.port + 1);
      a.underlay.removeDestination(gone);
      const to = a.underlay.addDestination(b.address, b.port);
      expect(to).toBe(gone);
      a.underlay.send(put(a, 0, counting(10)), 10, to, 0, 0, 0);
      flush();
      expect(receive(b, 1).flat()).toHaveLength(1);
    });

    it('has no number for an address of the other family', () => {
      expect(a.underlay.addDestination('fd00::1', 4789)).toBe(-1);
    });

    it('says which datagram it could not send, and sends the others', () => {
      const to = a.underlay.addDestination(b.address, b.port);
      a.underlay.send(put(a, 0, counting(10)), 10, to, 0, 0, 1);
      a.underlay.send(slot(a, 1), 65_508, to, 0, 0, 2);
      a.underlay.send(put(a, 3, counting(20)), 20, to, 0, 0, 3);
      flush();
      expect(failures).toEqual([[2, 'tooBig']]);
      expect(
        receive(b, 2)
          .flat()
          .map(({ payload }) => payload.length),
      ).toEqual([10, 20]);
    });
  });
}
