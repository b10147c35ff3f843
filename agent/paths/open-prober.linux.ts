/** A prober on this host's sockets and clock. */
import { randomBytes } from 'node:crypto';
import { ProbeSocket } from '../underlay/probe-socket.linux.ts';
import type { UnderlaySource } from '../underlay/udp.linux.ts';
import { Prober } from './prober.ts';

export interface OpenProber extends Prober {
  /** Asks and answers from there from now on. */
  setSource(source: UnderlaySource): void;
}

/** @param port where this site takes VXLAN. */
export function openProber(source: UnderlaySource, port: number): OpenProber {
  const link = new ProbeSocket(source);
  const prober = new Prober({
    link,
    port,
    now: () => Number(process.hrtime.bigint()) / 1e6,
    random: Math.random,
    nonce: () => randomBytes(8).readBigUInt64BE(),
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  });
  const stop = prober.stop.bind(prober);
  return Object.assign(prober, {
    setSource: (to: UnderlaySource) => link.setSource(to),
    stop: () => {
      stop();
      link.close();
    },
  });
}
