import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeLink, encodeAlias, encodeBridge } from '../../../agent/sys/link-message.ts';
import { NETLINK_ROUTE, NetlinkSocket, undisturbed } from '../../../agent/sys/netlink-socket.linux.ts';
import {
  decodeAttributes,
  encodeAttribute,
  encodeLinkHeader,
  encodeUint32,
  IFLA_LINKINFO,
  IFLA_MTU,
  LINK_HEADER_LENGTH,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLMSG_DONE,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from '../../../agent/sys/rtnetlink.ts';
import { describeLab } from '../../lab/describe-lab.ts';

const NAME = `ntf${process.pid}`;
const FIRST_MTU = 1000;
const RTNLGRP_LINK = 1;
const IFLA_INFO_DATA = 2;
const FDB_MAX_LEARNED = 49;

const NLM_F_DUMP_INTR = 0x10;

describe('a dump', () => {
  const message = (type: number, flags: number, sequence: number) => ({
    type,
    flags,
    sequence,
    portId: 1,
    body: new Uint8Array(),
  });
  /** Of three answers the first two are disturbed: in the midst, and at the end. */
  const answer = (attempt: number) => [
    message(RTM_NEWLINK, attempt === 1 ? NLM_F_DUMP_INTR : 0, attempt),
    message(NLMSG_DONE, attempt === 2 ? NLM_F_DUMP_INTR : 0, attempt),
  ];

  it('that things changed under is asked for again', () => {
    let attempts = 0;
    expect(undisturbed(() => answer(++attempts))).toEqual([message(RTM_NEWLINK, 0, 3)]);
    expect(attempts).toBe(3);
  });

  it('of what never stands still is what it was at last, after a few attempts', () => {
    let attempts = 0;
    const found = undisturbed(() => [message(RTM_NEWLINK, NLM_F_DUMP_INTR, ++attempts)]);
    expect(found).toEqual([message(RTM_NEWLINK, NLM_F_DUMP_INTR, attempts)]);
    expect(attempts).toBe(5);
  });
});

describeLab('a netlink socket', () => {
  let asking: NetlinkSocket;
  beforeEach(() => {
    asking = new NetlinkSocket(NETLINK_ROUTE);
    const parts = encodeBridge(NAME, Uint8Array.of(2, 0, 0, 0, 0, 1), 1450);
    expect(asking.change([{ type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, parts }])).toEqual(new Map());
  });
  afterEach(() => {
    asking.change([{ type: RTM_DELLINK, flags: 0, parts: encodeAlias(NAME, '').slice(0, 2) }]);
    asking.close();
  });

  it('lets its owner have a turn though more notifications come than it takes', () => {
    const hearing = new NetlinkSocket(NETLINK_ROUTE, [RTNLGRP_LINK]);
    const named = encodeAlias(NAME, '').slice(0, 2);
    const cause = (mtu: number) => {
      const parts = [...named, encodeAttribute(IFLA_MTU, encodeUint32(mtu))];
      expect(asking.change([{ type: RTM_SETLINK, flags: 0, parts }])).toEqual(new Map());
    };
    cause(FIRST_MTU);
    let heard = 0;
    hearing.notifications(({ body }) => {
      if (decodeLink(body).name !== NAME) return;
      heard++;
      if (heard > 5000) throw new Error('it never ends');
      cause(FIRST_MTU + heard);
    });
    expect(heard).toBeGreaterThan(100);
    // The rest waits.
    let last = 0;
    hearing.notifications(({ body }) => {
      last = decodeLink(body).mtu;
    });
    expect(last).toBe(FIRST_MTU + heard);
    hearing.close();
  });

  it('makes a bridge that learns so many stations and no more', () => {
    const [answer] = asking.get(RTM_GETLINK, ...encodeAlias(NAME, '').slice(0, 2));
    const info = decodeAttributes(answer!.body, LINK_HEADER_LENGTH).get(IFLA_LINKINFO)!;
    const limit = decodeAttributes(decodeAttributes(info, 0).get(IFLA_INFO_DATA)!, 0).get(FDB_MAX_LEARNED);
    // Linux before 6.7 has no limit.
    if (limit !== undefined) expect(new DataView(limit.slice().buffer).getUint32(0, true)).toBe(100_000);
  });

  it('says of a device that is not there that it is not', () => {
    expect(() => asking.get(RTM_GETLINK, encodeLinkHeader(0x7fffffff))).toThrow(/ENODEV/);
  });
});
