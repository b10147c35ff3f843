/** Which sites a site has no WireGuard session with. Pure. */
import type { Vtep } from '../../src/contract/table.ts';
import type { WireguardPeer } from './peers.ts';

/** A handshake takes two round trips; who is looked at the second time has had it. */
const PATIENCE_SECONDS = 4;
/** WireGuard takes nothing by a session that is older (its REJECT_AFTER_TIME), and makes another long before. */
const SESSION_SECONDS = 180;

export class Sessions {
  /** When each site was first seen in a table, in seconds since 1970. */
  #knownSince = new Map<string, number>();
  /** The end to send to, of each site that there is no session with; nothing of those that came a moment ago. */
  missing: readonly WireguardPeer[] = [];

  /**
   * @param handshakes of each device: see `WireguardBackend`.
   * @param now seconds since 1970.
   */
  look(
    networks: Iterable<{ readonly vteps: ReadonlyMap<string, Vtep> }>,
    handshakes: readonly ReadonlyMap<string, number>[],
    now: number,
  ): void {
    const before = this.#knownSince;
    this.#knownSince = new Map();
    const missing: WireguardPeer[] = [];
    for (const { vteps } of networks) {
      for (const [site, { wireguard: [first, ...others] = [] }] of vteps) {
        if (first === undefined || this.#knownSince.has(site)) continue;
        const since = before.get(site) ?? now;
        this.#knownSince.set(site, since);
        const times = [first, ...others].flatMap(({ publicKey }) => handshakes.map((of) => of.get(publicKey) ?? 0));
        if (now - since >= PATIENCE_SECONDS && now - Math.max(...times) > SESSION_SECONDS) missing.push(first);
      }
    }
    this.missing = missing;
  }
}
