import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { UdpUnderlay } from '../../../agent/underlay/udp.linux.ts';
import { createBatch, SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import { describeUnderlay, type OpenUnderlay, UNDERLAY_SLOTS } from './suite.ts';

const PORT = 4789;

interface Opened extends OpenUnderlay {
  readonly underlay: UdpUnderlay;
}

/** @returns a way to open one on a loopback address of its own, so that no port is in anyone's way, or on another address and port. */
async function createOpener(): Promise<(address?: string | null, port?: number) => Opened> {
  const { Arena } = await import('../../../agent/sys/arena.linux.ts');
  const { Epoll } = await import('../../../agent/sys/epoll.linux.ts');
  const { UDP_UNDERLAY_ARENA_BYTES, UdpUnderlay } = await import('../../../agent/underlay/udp.linux.ts');
  return (at, port = PORT) => {
    const arena = new Arena(UNDERLAY_SLOTS * SLOT_SIZE + UDP_UNDERLAY_ARENA_BYTES + 4096);
    const base = arena.take(UNDERLAY_SLOTS * SLOT_SIZE);
    const host = [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)] as const;
    const address = at === undefined ? host.join('.') : at;
    const underlay = new UdpUnderlay({
      arena,
      source: { address },
      port,
      batchCapacity: 64,
      random: Math.random,
      onTrainsRefused: () => {},
    });
    const epoll = new Epoll(arena, 1);
    for (const fd of underlay.fds) epoll.add(fd, 0);
    const close = underlay.close.bind(underlay);
    underlay.close = () => {
      epoll.close();
      close();
    };
    return {
      underlay,
      memory: arena,
      base,
      address: address ?? '127.0.0.1',
      port,
      words: [0, 0, 0xffff, host.reduce((word, byte) => word * 256 + byte, 0)],
      waitForDatagram: () => {
        if (epoll.wait(5000) === 0) throw new Error('nothing arrived within 5 s');
      },
    };
  };
}

describe.skipIf(process.platform !== 'linux')('on Linux', async () => {
  if (process.platform !== 'linux') return;
  const open = await createOpener();
  describeUnderlay('the underlay over UDP', () => [open(), open()]);

  it('its sources change one by one: those that stay lose nothing, the first one is sent from, and those that went take nothing', () => {
    const [here, there] = [open(), open()];
    const moved = here.address.replace(/\d+$/, (last) => String((Number(last) % 250) + 1));
    const { underlay } = here;
    const send = (from: Opened, to: string, mark: number): void => {
      const destination = from.underlay.addDestination(to, from === here ? there.port : here.port);
      from.memory.bytes.fill(mark, from.base + 64, from.base + 80);
      from.underlay.send(from.base + 64, 16, destination, 0, 0, 0);
      from.underlay.flush((_tag, failure) => expect.unreachable(failure));
    };
    const take = (at: Opened): number[] => {
      const into = createBatch(at.memory, at.base + 4096, 4);
      const marks: number[] = [];
      while (at.underlay.receive(into) > 0) {
        for (let i = 0; i < into.count; i++) marks.push(at.memory.bytes[into.offset[i]!]!);
      }
      return marks.sort();
    };
    const sender = (at: Opened): string => {
      const into = createBatch(at.memory, at.base + 4096, 4);
      expect(at.underlay.receive(into)).toBe(1);
      const word = into.source[3]!;
      return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff].join('.');
    };
    send(there, here.address, 1);
    expect(underlay.setSources([{ address: here.address }, { address: moved }])).toHaveLength(1);
    send(there, moved, 2);
    expect(take(here)).toEqual([1, 2]);
    send(here, there.address, 3);
    expect(sender(there)).toBe(here.address);
    send(there, here.address, 4);
    expect(underlay.setSources([{ address: moved }, { address: here.address }])).toEqual([]);
    expect(take(here)).toEqual([4]);
    send(here, there.address, 5);
    expect(sender(there)).toBe(moved);
    underlay.setSources([{ address: moved }]);
    expect(underlay.fds).toHaveLength(1);
    send(there, moved, 6);
    expect(take(here)).toEqual([6]);
    expect(() => underlay.setSources([{ address: '192.0.2.1' }])).toThrow(/EADDRNOTAVAIL/);
    send(there, moved, 7);
    expect(take(here)).toEqual([7]);
    for (const one of [here, there]) one.underlay.close();
  });

  it('the class of a datagram is carried over IPv6, and over both families by who takes all addresses', () => {
    const port = randomInt(20_000, 30_000);
    const [v4, v6, dual] = [open(), open('::1', port), open(null, port + 1)];
    const classOf = (at: Opened): number => {
      const into = createBatch(at.memory, at.base, 4);
      at.waitForDatagram();
      expect(at.underlay.receive(into)).toBe(1);
      return into.trafficClass[0]!;
    };
    for (const [from, to, address] of [
      [v4, dual, '127.0.0.1'],
      [v6, dual, '::1'],
      [dual, v4, v4.address],
      [dual, v6, '::1'],
    ] as const) {
      for (const trafficClass of [0, 2, 0xbb]) {
        const destination = from.underlay.addDestination(address, to.port);
        from.underlay.send(from.base + 64, 9, destination, 0, trafficClass, 0);
        from.underlay.flush((_tag, failure) => expect.unreachable(failure));
        expect(classOf(to)).toBe(trafficClass);
      }
    }
    for (const { underlay } of [v4, v6, dual]) underlay.close();
  });
});
