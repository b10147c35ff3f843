/** Whether somebody changed, made or removed an interface: rtnetlink(7) tells of it. For whoever has no thread to wait with, and looks now and then. */
import { NETLINK_ROUTE, NetlinkSocket } from './netlink-socket.linux.ts';
import { RTNLGRP_LINK } from './rtnetlink.ts';

export class LinkWatch {
  readonly #socket = new NetlinkSocket(NETLINK_ROUTE, [RTNLGRP_LINK]);

  /** @returns true where anything changed since this was asked last, or so much that some of it was not told. */
  hasChanged(): boolean {
    let changed = false;
    const isWhole = this.#socket.notifications(() => {
      changed = true;
    });
    return changed || !isWhole;
  }

  close(): void {
    this.#socket.close();
  }
}
