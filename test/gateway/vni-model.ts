/** The rules of VNIs and their pools in the plainest form: every number by itself. */

export interface ModelPool {
  readonly id: string;
  readonly first: number;
  readonly last: number;
  /** Null where it is open to all. */
  readonly tenant: string | null;
}

export class VniModel {
  readonly #shared: ModelPool;
  readonly #numbers: readonly number[];
  readonly carved = new Map<string, ModelPool>();
  readonly inUse = new Map<number, { readonly id: string; readonly tenant: string }>();
  /** Until when a number rests. */
  readonly resting = new Map<number, number>();

  /** @param numbers those that are looked at; of the shared pool's, only these exist here. */
  constructor(shared: ModelPool, numbers: readonly number[]) {
    this.#shared = shared;
    this.#numbers = numbers;
  }

  endRests(now: number): void {
    for (const [vni, until] of this.resting) if (until <= now) this.resting.delete(vni);
  }

  poolOf(vni: number): ModelPool | undefined {
    return [...this.carved.values(), this.#shared].find(({ first, last }) => first <= vni && vni <= last);
  }

  numbersOf(pool: ModelPool): number[] {
    return this.#numbers.filter((vni) => this.poolOf(vni) === pool);
  }

  freeIn(pool: ModelPool): number[] {
    return this.numbersOf(pool).filter((vni) => !this.inUse.has(vni) && !this.resting.has(vni));
  }

  pools(): ModelPool[] {
    return [this.#shared, ...this.carved.values()];
  }

  /** What taking `vni`, or any, should come to: the number, or the code of the refusal. */
  outcomeOfTaking(tenant: string, vni: number | undefined): number | string {
    if (vni === undefined) {
      const freeOf = (owner: string | null) =>
        this.pools()
          .filter((pool) => pool.tenant === owner)
          .flatMap((pool) => this.freeIn(pool));
      const [own, open] = [freeOf(tenant), freeOf(null)];
      const best = own.length > 0 ? own : open;
      return best.length === 0 ? 'vni_exhausted' : Math.min(...best);
    }
    const pool = this.poolOf(vni);
    if (pool === undefined || (pool.tenant !== null && pool.tenant !== tenant)) return 'vni_out_of_range';
    if (this.inUse.has(vni)) return 'vni_taken';
    return this.resting.has(vni) ? 'vni_quarantined' : vni;
  }

  outcomeOfCarving(first: number, last: number): 'carved' | string {
    for (const pool of this.carved.values()) if (pool.first <= last && first <= pool.last) return 'pool_overlap';
    for (const vni of this.inUse.keys()) if (first <= vni && vni <= last) return 'vni_in_use';
    return 'carved';
  }
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
