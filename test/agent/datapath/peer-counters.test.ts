import { describe, expect, it } from 'vitest';
import { formatAddressWords } from '../../../agent/datapath/address-table.ts';
import { COUNTER_BLOCK, createCounterMemory } from '../../../agent/datapath/counters.ts';
import {
  createPeerCounterMemory,
  PEER_COUNTER,
  PEER_NETWORK,
  PeerCounterBlocks,
  readPeerCounters,
} from '../../../agent/datapath/peer-counters.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { counting, ethernet, ipv4, tcp } from '../frames.ts';
import { BROADCAST, createOverlay, delta, frame, OverlaySite, snapshot, station, table, vxlan } from './overlay.ts';

const VNI = 9;
const [A, B] = [station(1), station(2)];
const [AT_A, AT_B, AT_C] = ['10.0.0.1 4789', '10.0.0.2 4789', '10.0.0.3 4789'];

describe('what passes between a site and its peers', () => {
  it('is counted by peer, each way, flooded frames for each', () => {
    const [a, b] = createOverlay(3, [VNI]) as [OverlaySite, OverlaySite];
    a.send(VNI, frame(BROADCAST, A));
    b.take();
    b.send(VNI, frame(A, B, 0, 100));
    a.take();
    expect(a.peerCounters(VNI)).toEqual({
      [AT_B!]: { txFrames: 1, txBytes: 60, rxFrames: 1, rxBytes: 100 },
      [AT_C!]: { txFrames: 1, txBytes: 60 },
    });
    expect(b.peerCounters(VNI)).toEqual({
      [AT_A!]: { rxFrames: 1, rxBytes: 60, txFrames: 1, txBytes: 100 },
      [AT_C!]: {},
    });
  });

  it('is counted by the frames on the wire where the host gives and takes large segments', () => {
    const [a, b] = createOverlay(2, [VNI]) as [OverlaySite, OverlaySite];
    b.send(VNI, frame(BROADCAST, B));
    a.take();
    const segment = ethernet(B, A, 0x0800, ipv4(tcp({ payload: counting(3000), checksum: 'incomplete' })));
    const header = { flags: 1, gsoType: 1, headerLength: 54, gsoSize: 1000, csumStart: 34, csumOffset: 16 };
    a.send(VNI, segment, { header });
    b.take();
    expect(b.frames(VNI)).toHaveLength(1);
    const carried = 3000 + 3 * 54;
    expect(a.peerCounters(VNI)[AT_B!]).toMatchObject({ txFrames: 3, txBytes: carried });
    expect(b.peerCounters(VNI)[AT_A!]).toMatchObject({ rxFrames: 3, rxBytes: carried });
  });

  it('is kept apart by network', () => {
    const [a] = createOverlay(2, [VNI, 10]) as [OverlaySite];
    a.send(10, frame(BROADCAST, A));
    expect(a.peerCounters(VNI)).toEqual({ [AT_B!]: {} });
    expect(a.peerCounters(10)).toEqual({ [AT_B!]: { txFrames: 1, txBytes: 60 } });
  });

  it('goes on while the peer stays in the table, and begins at 0 where it comes back or moves', () => {
    const [a] = createOverlay(2, [VNI]) as [OverlaySite];
    const change = (address: string) => table(VNI, { vteps: { b: address } });
    a.send(VNI, frame(BROADCAST, A));
    a.apply(delta([change('10.0.0.2')]));
    expect(a.peerCounters(VNI)).toEqual({ [AT_B!]: { txFrames: 1, txBytes: 60 } });
    a.apply(delta([change('10.0.0.3')]));
    expect(a.peerCounters(VNI)).toEqual({ [AT_C!]: {} });
    a.apply(delta([{ ...table(VNI), gone: { vteps: ['b'], macs: [] } }]));
    expect(a.peerCounters(VNI)).toEqual({});
    a.apply(delta([change('10.0.0.2')]));
    expect(a.peerCounters(VNI)).toEqual({ [AT_B!]: {} });
    a.apply(snapshot());
    expect(a.peerCounters(VNI)).toEqual({});
  });

  it('is in the network’s totals alone for who is in no table', () => {
    const a = new OverlaySite(new InMemoryFabric(), 'a', '10.0.0.1');
    a.apply(snapshot(table(VNI, { antiSpoof: 'off' })));
    a.takeDatagram('10.0.0.9', vxlan(VNI, frame(BROADCAST, B)));
    a.send(VNI, frame(B, A));
    expect(a.peerCounters(VNI)).toEqual({});
    // Nobody is there, and it is the network that hears of it.
    expect(a.counters(VNI)).toMatchObject({ vtepRxFrames: 1, vtepTxFrames: 1, dropUnreachable: 1 });
  });
});

describe('blocks of counters', () => {
  const NETWORK = 2 * COUNTER_BLOCK;
  const words = (last: number) => Uint32Array.of(0, 0, 0xffff, 0x0a00_0000 + last);
  const create = () => {
    const memory = createPeerCounterMemory(3, 2);
    return { memory, blocks: new PeerCounterBlocks(memory, createCounterMemory(3)) };
  };

  it('are bounded: who comes when all are given shares one with others of the network, which names the network', () => {
    const { memory, blocks } = create();
    const [first, second, third] = [1, 2, 3].map((n) => blocks.take(NETWORK, VNI, words(n), 4789)) as [
      number,
      number,
      number,
    ];
    expect(new Set([first, second, third]).size).toBe(3);
    expect(third).toBe(blocks.rest(NETWORK));
    expect(blocks.rest(COUNTER_BLOCK)).not.toBe(third);
    for (const block of [first, second, third]) expect(memory[block + PEER_NETWORK]).toBe(NETWORK);
    expect(readPeerCounters([memory]).get(VNI)).toHaveLength(2);
    blocks.giveBack(third);
    blocks.giveBack(first);
    expect(blocks.take(NETWORK, VNI, words(3), 4789)).toBe(first);
    expect(blocks.take(NETWORK, VNI, words(4), 4789)).toBe(third);
  });

  it('are summed over threads, and over sites behind one VTEP', () => {
    const threads = [create(), create()];
    for (const { memory, blocks } of threads) {
      // Not in the same places.
      if (memory === threads[1]!.memory) blocks.take(NETWORK, VNI, words(8), 4789);
      memory[blocks.take(NETWORK, VNI, words(7), 4789) + PEER_COUNTER.rxFrames] = 5;
    }
    const said = readPeerCounters(threads.map(({ memory }) => memory)).get(VNI)!;
    expect(said.map(({ address, port, counters }) => [address, port, counters.rxFrames])).toEqual([
      ['10.0.0.7', 4789, 10],
      ['10.0.0.8', 4789, 0],
    ]);
    expect(formatAddressWords(words(7))).toBe('10.0.0.7');
  });
});
