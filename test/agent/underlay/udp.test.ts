import { randomInt } from 'node:crypto';
import { describe } from 'vitest';
import { SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import { describeUnderlay, type OpenUnderlay, UNDERLAY_SLOTS } from './suite.ts';

const PORT = 4789;

/** On a loopback address of its own, so that no port is in anyone's way. */
async function createOpener(): Promise<() => OpenUnderlay> {
  const { Arena } = await import('../../../agent/sys/arena.linux.ts');
  const { Epoll } = await import('../../../agent/sys/epoll.linux.ts');
  const { UDP_UNDERLAY_ARENA_BYTES, UdpUnderlay } = await import('../../../agent/underlay/udp.linux.ts');
  return () => {
    const arena = new Arena(UNDERLAY_SLOTS * SLOT_SIZE + UDP_UNDERLAY_ARENA_BYTES + 4096);
    const base = arena.take(UNDERLAY_SLOTS * SLOT_SIZE);
    const host = [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)] as const;
    const address = host.join('.');
    const underlay = new UdpUnderlay({
      arena,
      address,
      port: PORT,
      batchCapacity: 64,
      random: Math.random,
      onTrainsRefused: () => {},
    });
    const epoll = new Epoll(arena, 1);
    epoll.add(underlay.fd, 0);
    const close = underlay.close.bind(underlay);
    underlay.close = () => {
      epoll.close();
      close();
    };
    return {
      underlay,
      memory: arena,
      base,
      address,
      port: PORT,
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
});
