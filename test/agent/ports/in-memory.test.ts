import { describe, expect, it } from 'vitest';
import { InMemoryPort } from '../../../agent/ports/in-memory.ts';
import { createBatch, MAX_PACKET, SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import { decodeVirtioNet, type VirtioNetHeader, writeVirtioNet } from '../../../agent/wire/virtio-net.ts';
import { DIRT, viewOf } from '../bytes.ts';
import { counting } from '../frames.ts';

const PLAIN: VirtioNetHeader = { flags: 0, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 0, csumOffset: 0 };
const ASKING: VirtioNetHeader = {
  flags: 1,
  gsoType: 1,
  headerLength: 54,
  gsoSize: 1410,
  csumStart: 34,
  csumOffset: 16,
};

function createMemory(slots: number) {
  const bytes = new Uint8Array(slots * SLOT_SIZE).fill(DIRT);
  return { bytes, view: viewOf(bytes) };
}

describe('a port in memory', () => {
  it('gives what the host sent a batch at a time, each after its virtio-net header', () => {
    const port = new InMemoryPort('tap0');
    for (const [length, header] of [
      [14, null],
      [60, ASKING],
      [MAX_PACKET, null],
    ] as const) {
      port.inject(counting(length), header);
    }
    const batch = createBatch(createMemory(2), 0, 2);
    expect(port.receive(batch)).toBe(2);
    expect([...batch.length]).toEqual([14, 60]);
    for (const [i, expected] of [PLAIN, ASKING].entries()) {
      const header = { ...PLAIN, flags: 99 };
      decodeVirtioNet(batch.view, batch.offset[i]! - 12, header);
      expect(header).toEqual(expected);
    }
    expect(batch.bytes.slice(batch.offset[1]!, batch.offset[1]! + 60)).toEqual(counting(60));
    expect(port.receive(batch)).toBe(1);
    expect(batch.bytes.slice(batch.offset[0]!, batch.offset[0]! + MAX_PACKET)).toEqual(counting(MAX_PACKET));
    expect(port.receive(batch)).toBe(0);
    expect(batch.count).toBe(0);
  });

  it('gives the host a copy of the frame and of what its header said', () => {
    const port = new InMemoryPort('tap0');
    const memory = createMemory(1);
    memory.bytes.set(counting(60), 100);
    writeVirtioNet(memory.view, 88, 1, 1, 54, 1410, 34, 16);
    expect(port.send(memory, 100, 60)).toBe(true);
    memory.bytes.fill(0);
    expect(port.delivered).toEqual([{ header: ASKING, frame: counting(60) }]);
  });

  it('neither gives nor takes while it is down, nor after it is closed', () => {
    const port = new InMemoryPort('tap0');
    const memory = createMemory(1);
    const batch = createBatch(memory, 0, 1);
    port.inject(counting(60));
    port.isUp = false;
    expect(port.receive(batch)).toBe(0);
    expect(port.send(memory, 100, 60)).toBe(false);
    port.isUp = true;
    expect(port.receive(batch)).toBe(1);
    port.close();
    port.inject(counting(60));
    expect(port.receive(batch)).toBe(0);
    expect(port.delivered).toEqual([]);
  });

  it('refuses a frame that no interface could carry', () => {
    expect(() => new InMemoryPort('tap0').inject(new Uint8Array(MAX_PACKET + 1))).toThrow(RangeError);
  });
});
