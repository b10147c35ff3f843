import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as nl from '../../../agent/sys/rtnetlink.ts';
import { concat, hex, viewOf } from '../bytes.ts';

/** From a Linux 6.18 kernel's answer to RTM_GETLINK: a vxlan device, cut down to attributes of every kind. */
const VXLAN_LINK = hex(`
  64000000 1000 0200 01000000 00000000
  00 00 0100 03000000 43100100 00000000
  0800 0300 76783900
  0800 0400 dc050000
  0a00 0100 020000000001 0000
  2000 1200  0a00 0100 7678 6c61 6e00 0000  1000 0200  0800 0100 09000000  0000 0000
  0800 0a00 07000000`);
/** Its answer to RTM_SETLINK of a link that is not there: -ENODEV, and the request. */
const ERROR = hex(`
  34000000 0200 0000 07000000 03000000
  edffffff 20000000 1300 0500 07000000 00000000 00000000 9f860100 00000000 00000000`);

describe('a netlink request', () => {
  it('for all links is byte for byte what iproute2 sends, without its filters', () => {
    const message = nl.encodeMessage(nl.RTM_GETLINK, nl.NLM_F_REQUEST | nl.NLM_F_DUMP, 1, [nl.encodeLinkHeader(0)]);
    expect(message).toEqual(hex('20000000 1200 0103 01000000 00000000 00000000 00000000 00000000 00000000'));
  });

  it('to set a link up, with an MTU and a name, is as linux/rtnetlink.h lays it out', () => {
    const message = nl.encodeMessage(nl.RTM_SETLINK, nl.NLM_F_REQUEST | nl.NLM_F_ACK, 7, [
      nl.encodeLinkHeader(3, nl.IFF_UP, nl.IFF_UP),
      nl.encodeAttribute(nl.IFLA_MTU, nl.encodeUint32(1450)),
      nl.encodeAttribute(nl.IFLA_IFNAME, nl.encodeText('tap9')),
    ]);
    expect(message).toEqual(
      hex(`34000000 1300 0500 07000000 00000000
           00000000 03000000 01000000 01000000
           0800 0400 aa050000
           0900 0300 7461703900 000000`),
    );
  });
});

describe('a netlink answer', () => {
  it('that lists a link gives its index, name, MTU, MAC and nested kind', () => {
    const [message, ...others] = nl.decodeMessages(VXLAN_LINK);
    expect(others).toEqual([]);
    expect(message).toMatchObject({ type: nl.RTM_NEWLINK, sequence: 1 });
    const body = message!.body;
    expect(viewOf(body).getInt32(4, true)).toBe(3);
    const attributes = nl.decodeAttributes(body, nl.LINK_HEADER_LENGTH);
    expect(nl.decodeText(attributes.get(nl.IFLA_IFNAME)!)).toBe('vx9');
    expect(viewOf(attributes.get(nl.IFLA_MTU)!).getUint32(0, true)).toBe(1500);
    expect(attributes.get(nl.IFLA_ADDRESS)).toEqual(hex('020000000001'));
    expect(viewOf(attributes.get(nl.IFLA_MASTER)!).getUint32(0, true)).toBe(7);
    const info = nl.decodeAttributes(attributes.get(nl.IFLA_LINKINFO)!, 0);
    expect(nl.decodeText(info.get(nl.IFLA_INFO_KIND)!)).toBe('vxlan');
  });

  it('that refuses gives the errno', () => {
    const [message] = nl.decodeMessages(ERROR);
    expect(message).toMatchObject({ type: nl.NLMSG_ERROR, sequence: 7 });
    expect(viewOf(message!.body).getInt32(0, true)).toBe(-19);
  });

  it('of several messages gives each, in order', () => {
    const messages = nl.decodeMessages(concat(VXLAN_LINK, ERROR, VXLAN_LINK));
    expect(messages.map(({ type }) => type)).toEqual([nl.RTM_NEWLINK, nl.NLMSG_ERROR, nl.RTM_NEWLINK]);
  });

  it('keeps its own copy of the bytes: the buffer is used again', () => {
    const buffer = VXLAN_LINK.slice();
    const [message] = nl.decodeMessages(buffer);
    buffer.fill(0xa5);
    expect(message!.body).toEqual(VXLAN_LINK.slice(16));
  });

  it('that is cut off anywhere is read as far as it is whole, without an exception', () => {
    const whole = concat(ERROR, VXLAN_LINK);
    for (let length = 0; length < whole.length; length++) {
      expect(nl.decodeMessages(whole.slice(0, length))).toHaveLength(length >= ERROR.length ? 1 : 0);
    }
  });

  it('of any bytes is read without an exception or an endless loop', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, headerLength) => {
        for (const { body } of nl.decodeMessages(bytes)) nl.decodeAttributes(body, headerLength);
        for (const value of nl.decodeAttributes(bytes, headerLength).values()) {
          expect(value.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
    );
  });
});

it('attributes come back as they were written, whatever their length', () => {
  const attributes = fc.uniqueArray(fc.tuple(fc.nat(0x3fff), fc.uint8Array({ maxLength: 40 })), {
    selector: ([type]) => type,
  });
  fc.assert(
    fc.property(attributes, (list) => {
      const body = concat(new Uint8Array(8), ...list.map(([type, value]) => nl.encodeAttribute(type, value)));
      expect([...nl.decodeAttributes(body, 8)]).toEqual(list);
    }),
  );
});
