import { describe, expect, it } from 'vitest';
import { decodeLink, encodeBridgePort, encodeVxlan } from '../../../agent/sys/link-message.ts';
import { decodeAttributes, decodeMessages, encodeMessage, LINK_HEADER_LENGTH } from '../../../agent/sys/rtnetlink.ts';
import { hex } from '../bytes.ts';

/** From Linux 6.18's answer to `ip -d link show` of a vxlan device in a bridge, cut down to what is read. */
const VXLAN_IN_BRIDGE = hex(`
  bc000000 1000 0000 5d300565 6bc96500
  0000 0100 03000000 43100100 00000000
  0900 0300 6f76783900 000000
  0800 0400 aa050000
  0800 0a00 07000000
  1500 1400 6f7665726c616e65207820766e69203900 000000
  0a00 0100 fe0000000009 0000
  5c00 1200
    0a00 0100 7678 6c61 6e00 0000
    2c00 0200 0800 0100 09000000 0800 0400 7f000001 0500 1d00 01000000 0500 0700 00000000 0600 0f00 12b5 0000
    0b00 0400 627269646765 00 00
    1400 0500 0500 0800 00000000 0500 2000 01000000`);

/** The attributes of what iproute2 6.1 sent to make a vxlan device, by type: those within the device's own. */
const SENT_VXLAN = new Map(
  Object.entries({
    29: '01',
    18: '01',
    10: 'c000ffff',
    1: '08000000',
    4: '0a4d0001',
    7: '00',
    15: '12b5',
  }).map(([type, bytes]) => [Number(type), hex(bytes)]),
);
/** Of `ip link set … type bridge_slave neigh_suppress on learning off`: the settings. */
const SENT_PORT = new Map([
  [8, hex('00')],
  [32, hex('01')],
]);

describe('a link', () => {
  it('that is a vxlan device in a bridge is read with its settings and the port’s', () => {
    const [message] = decodeMessages(VXLAN_IN_BRIDGE);
    expect(decodeLink(message!.body)).toMatchObject({
      index: 3,
      name: 'ovx9',
      mtu: 1450,
      up: true,
      kind: 'vxlan',
      alias: 'overlane x vni 9',
      master: 7,
      mac: hex('fe0000000009'),
      vxlan: { vni: 9, local: '127.0.0.1', port: 4789, learning: false, inheritsDscp: false },
      bridgePort: { learning: false, neighSuppress: true },
    });
  });

  it('that is cut off anywhere is read as far as it goes, without an exception', () => {
    const whole = decodeMessages(VXLAN_IN_BRIDGE)[0]!.body;
    for (let length = LINK_HEADER_LENGTH; length < whole.length; length++) {
      expect(decodeLink(whole.slice(0, length)).index).toBe(3);
    }
  });
});

describe('what is asked for', () => {
  const within = (parts: readonly Uint8Array[], ...types: readonly number[]): Map<number, Uint8Array> => {
    let value = encodeMessage(0, 0, 0, parts).subarray(16);
    let at = LINK_HEADER_LENGTH;
    for (const type of types) {
      value = decodeAttributes(value, at).get(type)!;
      at = 0;
    }
    return decodeAttributes(value, 0);
  };
  const vxlan = { vni: 8, port: 4789, learning: false, inheritsDscp: false };

  it('of a vxlan device is what iproute2 asks for, and the TOS', () => {
    const data = within(encodeVxlan('ovx8', hex('fe0000000008'), 1450, { ...vxlan, local: '10.77.0.1' }), 18, 2);
    expect(data.get(6)).toEqual(hex('00'));
    data.delete(6);
    expect(new Map([...data].sort())).toEqual(new Map([...SENT_VXLAN].sort()));
  });

  it('of one over IPv6 is that it takes datagrams without a checksum too', () => {
    const data = within(encodeVxlan('ovx8', hex('fe0000000008'), 1430, { ...vxlan, local: 'fd77::1' }), 18, 2);
    expect(data.get(17)).toEqual(hex('fd770000000000000000000000000001'));
    expect([data.get(4), data.get(20)]).toEqual([undefined, hex('01')]);
  });

  it('of a bridge’s port is its settings, in the bridge’s family', () => {
    const parts = encodeBridgePort(3, { learning: false, neighSuppress: true });
    expect(parts[0]![0]).toBe(7);
    expect(within(parts, 12)).toEqual(SENT_PORT);
  });
});
