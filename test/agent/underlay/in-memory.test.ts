import { expect, it } from 'vitest';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import { viewOf } from '../bytes.ts';
import { describeUnderlay, type OpenUnderlay, UNDERLAY_SLOTS } from './suite.ts';

function openOn(fabric: InMemoryFabric, lastByte: number): OpenUnderlay {
  const bytes = new Uint8Array(UNDERLAY_SLOTS * SLOT_SIZE);
  const memory = { bytes, view: viewOf(bytes) };
  const address = `10.0.0.${lastByte}`;
  return {
    underlay: fabric.open({ memory, address, port: 4789 }),
    memory,
    base: 0,
    address,
    port: 4789,
    words: [0, 0, 0xffff, 0x0a00_0000 + lastByte],
    waitForDatagram: () => {},
  };
}

describeUnderlay('the underlay in memory', () => {
  const fabric = new InMemoryFabric();
  return [openOn(fabric, 1), openOn(fabric, 2)];
});

it('the underlay in memory reads what it sends at the flush, as a kernel would: nobody may change it before', () => {
  const fabric = new InMemoryFabric();
  const [a, b] = [openOn(fabric, 1), openOn(fabric, 2)];
  const to = a.underlay.addDestination(b.address, b.port);
  a.memory.bytes[0] = 1;
  a.underlay.send(0, 1, to, 0, 0, 0);
  a.memory.bytes[0] = 2;
  a.underlay.flush(() => {});
  a.memory.bytes[0] = 3;
  expect(fabric.carried.map(({ payload }) => [...payload])).toEqual([[2]]);
});
