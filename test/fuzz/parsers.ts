/** What looks into bytes: it never looks behind the bytes that it is told of. */
import fc from 'fast-check';
import { hashFlow } from '../../agent/datapath/flow-hash.ts';
import { lookAtTrain } from '../../agent/datapath/received-train.ts';
import { decodeAttributes, decodeMessages, decodeText } from '../../agent/sys/rtnetlink.ts';
import { isArp } from '../../agent/wire/arp.ts';
import { ETHERNET_HEADER_LENGTH } from '../../agent/wire/ethernet.ts';
import { isIcmpError, isIcmpv6Error } from '../../agent/wire/icmp.ts';
import { ipv4HeaderLength } from '../../agent/wire/ipv4.ts';
import { isIpv6 } from '../../agent/wire/ipv6.ts';
import { neighborType } from '../../agent/wire/neighbor.ts';
import { PROBE_MAGIC, PROBE_MAGIC_OFFSET, readProbe } from '../../agent/wire/probe.ts';
import { tcpHeaderLength } from '../../agent/wire/tcp.ts';
import { concat } from '../agent/bytes.ts';
import { createGuardedMemory } from './guarded-memory.ts';
import type { Property } from './property.ts';
import { wireFrames } from './traffic.ts';

/** Any bytes, but for what makes them a probe. */
const probes = fc.uint8Array({ minLength: 12, maxLength: 100 }).map((bytes) => {
  bytes.fill(0, 0, PROBE_MAGIC_OFFSET);
  new DataView(bytes.buffer).setUint32(PROBE_MAGIC_OFFSET, PROBE_MAGIC);
  return bytes;
});
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  probes,
  wireFrames.chain(([frame]) => fc.nat(frame!.length).map((length) => frame!.slice(0, length))),
);

const packets: Property = {
  name: 'nothing that looks into a packet looks behind its end, wherever it is cut',
  runs: 150,
  property: () =>
    fc.property(bytes, fc.nat(80), fc.integer({ min: 1, max: 60 }), (given, skip, segmentSize) => {
      const { memory, starts } = createGuardedMemory(given.length);
      const { view } = memory;
      const end = starts[0]! + given.length;
      memory.bytes.set(given, starts[0]);
      const at = starts[0]! + (skip % (given.length + 1));
      const length = end - at;
      ipv4HeaderLength(view, at, length);
      isIpv6(view, at, length);
      tcpHeaderLength(view, at, length);
      isArp(view, at, length);
      neighborType(view, at, length);
      isIcmpError(view, at, length);
      isIcmpv6Error(view, at, length);
      readProbe(view, at, length);
      if (length > segmentSize) lookAtTrain(view, at, length, segmentSize);
      if (length < ETHERNET_HEADER_LENGTH) return;
      hashFlow(view, at, length);
    }),
};

const netlink: Property = {
  name: 'netlink messages of any bytes are read to their end, none of them beyond it',
  runs: 150,
  property: () =>
    fc.property(
      fc.array(fc.tuple(fc.nat(40), fc.nat(0xffff), fc.uint8Array({ maxLength: 60 })), { maxLength: 5 }),
      (parts) => {
        const given = concat(
          ...parts.map(([length, type, body]) =>
            concat(Uint8Array.of(length, 0, 0, 0, type & 0xff, type >> 8), new Uint8Array(10), body),
          ),
        );
        let read = 0;
        for (const { body } of decodeMessages(given)) {
          read += 16 + body.length;
          let attributes = 0;
          for (const value of decodeAttributes(body, 8).values()) {
            attributes += 4 + value.length;
            decodeText(value);
          }
          if (attributes > body.length) throw new Error(`${attributes} bytes of attributes in ${body.length}`);
        }
        if (read > given.length) throw new Error(`${read} bytes of messages in ${given.length}`);
      },
    ),
};

export const PARSERS: readonly Property[] = [packets, netlink];
