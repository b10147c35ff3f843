import { describe, expect, it } from 'vitest';
import { encodeChange, type Place, readForwarding } from '../../../agent/kernel/forwarding.ts';
import { decodeNeighbor, type NeighborMessage } from '../../../agent/sys/neighbor-message.ts';
import { decodeMessages, encodeMessage } from '../../../agent/sys/rtnetlink.ts';
import { hex } from '../bytes.ts';

const PLACE: Place = { vxlan: 3, bridge: 7, vxlanPort: 4789 };
const MAC = '02:00:00:00:00:01';

/** What iproute2 6.1 sent for `bridge fdb …` and `ip neigh …`, less the header. */
const SENT = {
  mac: hex('0700000003000000020016000a0002000200000000010000080001000a4d0002'),
  sticky: hex('0700000003000000420046000a0002000200000000010000080001000a4d0002'),
  flood: hex('0700000003000000c00002000a0002000000000000000000080001000a4d00040600060012b60000'),
};

/** How Linux 6.18 listed what a bridge (7) and its vxlan device (3) had. */
const LISTED = hex(`
  4c000000 1c00 0200 53300565 2a630000 07000000 03000000 0200 10 00
    0a00 0200 020000000001 0000 0800 0900 07000000 0800 0f00 00000000 1400 0300 00000000 0c000000 0c000000 00000000
  4c000000 1c00 0200 53300565 2a630000 07000000 03000000 8000 00 00
    0a00 0200 fe0000000009 0000 0800 0900 07000000 0800 0f00 00000000 1400 0300 00000000 0f000000 0f000000 00000000
  44000000 1c00 0200 53300565 2a630000 07000000 03000000 0200 12 01
    0a00 0200 020000000001 0000 0800 0100 0a4d0002 1400 0300 00000000 0c000000 0c000000 00000000
  4c000000 1c00 0200 53300565 2a630000 07000000 03000000 c000 02 01
    0a00 0200 000000000000 0000 0800 0100 0a4d0003 0600 0600 12b6 0000 1400 0300 00000000 0d000000 07000000 00000000`);
const NEIGHBOR = hex(`
  54000000 1c00 2200 53300565 2e630000 02000000 07000000 4000 10 01
    0800 0100 c0a80902 0a00 0200 020000000001 0000 0800 0400 00000000 1400 0300 0f000000 0f000000 0f000000 00000000 0500 0c00 4f 000000`);

function bodyOf(change: Parameters<typeof encodeChange>[0]): Uint8Array {
  const { type, parts } = encodeChange(change, PLACE);
  return encodeMessage(type, 0, 0, parts).subarray(16);
}

const listed = (...dumps: readonly Uint8Array[]): NeighborMessage[] =>
  dumps.flatMap((bytes) => decodeMessages(bytes)).flatMap(({ body }) => decodeNeighbor(body) ?? []);

describe('a change', () => {
  const vtep = { address: '10.77.0.2', port: 4789 };

  it('of a station is one message for both tables, byte for byte as iproute2 says it', () => {
    expect(bodyOf({ kind: 'mac', action: 'set', mac: MAC, entry: { ...vtep, sticky: false } })).toEqual(SENT.mac);
    expect(bodyOf({ kind: 'mac', action: 'set', mac: MAC, entry: { ...vtep, sticky: true } })).toEqual(SENT.sticky);
  });

  it('of the head-end list is one message, with the port where it is not the device’s', () => {
    const other = { address: '10.77.0.4', port: 4790 };
    expect(bodyOf({ kind: 'flood', action: 'set', vtep: other })).toEqual(SENT.flood);
  });

  it('of what goes by one interface alone names that, and is read as it was set', () => {
    const via = { ...vtep, via: 5 };
    for (const change of [
      { kind: 'flood', action: 'set', vtep: via },
      { kind: 'mac', action: 'set', mac: MAC, entry: { ...via, sticky: false } },
    ] as const) {
      const body = bodyOf(change);
      expect(Buffer.from(body).toString('hex')).toContain('0800080005000000');
      expect(decodeNeighbor(body)).toMatchObject({ address: vtep.address, via: 5 });
    }
  });

  it('of a neighbour says who made it, so that it is found again', () => {
    const body = bodyOf({ kind: 'neighbor', action: 'set', ip: 'fd09::2', mac: MAC });
    expect(decodeNeighbor(body)).toMatchObject({ family: 10, index: 7, mac: MAC, address: 'fd09::2', protocol: 79 });
  });
});

describe('what the kernel lists', () => {
  const places = new Map([[9, PLACE]]);

  it('is the network’s entries, its head-end list and its neighbours', () => {
    const { installed, local, learned } = readForwarding(listed(LISTED, NEIGHBOR), places).get(9)!;
    expect([...installed.macs]).toEqual([[MAC, { address: '10.77.0.2', port: 4789, sticky: false }]]);
    expect([...installed.flood.values()]).toEqual([{ address: '10.77.0.3', port: 4790 }]);
    expect([...installed.neighbors]).toEqual([['192.168.9.2', MAC]]);
    expect([local.size, learned.size]).toEqual([0, 0]);
  });

  it('without the bridge’s entry is no entry: it is to be set again', () => {
    const withoutBridge = listed(LISTED).filter(({ master, mac }) => master === undefined || mac !== MAC);
    expect(readForwarding(withoutBridge, places).get(9)!.installed.macs.get(MAC)?.address).toBe('');
  });

  it('on another port of the bridge is a station of this host, unless it is the port’s own address', () => {
    const onPort = (state: number): NeighborMessage => ({ family: 7, index: 5, state, flags: 0, mac: MAC, master: 7 });
    const found = (state: number) => [
      ...readForwarding([onPort(state)], places)
        .get(9)!
        .local.keys(),
    ];
    expect(found(0x02)).toEqual([MAC]);
    expect(found(0x80)).toEqual([]);
  });

  it('of other devices, and others’ neighbours, is not ours', () => {
    const others = listed(LISTED, NEIGHBOR).map((entry) => ({ ...entry, protocol: undefined }));
    const elsewhere = new Map([[9, { vxlan: 33, bridge: 77, vxlanPort: 4789 }]]);
    const { installed } = readForwarding(others, elsewhere).get(9)!;
    expect([installed.macs.size, installed.flood.size, installed.neighbors.size]).toEqual([0, 0, 0]);
    expect(readForwarding(others, places).get(9)!.installed.neighbors.size).toBe(0);
  });
});
