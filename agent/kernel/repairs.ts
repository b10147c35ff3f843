import type { Scope } from './wanted-network.ts';

/** Entries that somebody deleted and that are to be put back, by network. */
export class Repairs {
  #scopes = new Map<number, Scope>();

  get isEmpty(): boolean {
    return this.#scopes.size === 0;
  }

  /** @returns what is to be looked at of this network, to be added to. */
  of(vni: number): Scope {
    let scope = this.#scopes.get(vni);
    if (scope === undefined) {
      scope = { macs: new Set(), ips: new Set() };
      this.#scopes.set(vni, scope);
    }
    return scope;
  }

  /** @returns all of it, which is no longer here then. */
  take(): ReadonlyMap<number, Scope> {
    const scopes = this.#scopes;
    this.#scopes = new Map();
    return scopes;
  }
}
