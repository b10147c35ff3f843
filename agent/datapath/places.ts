/**
 * Where a station can be: a VTEP's slot (0 and up), or a port of this host (below 0). A table keeps a *word* for it, which also says in
 * which generation of the place it was written. When a VTEP or port goes, its place comes to the next generation, and all that pointed
 * to it points nowhere, at once and whoever wrote it, however much that is.
 */

export const NOWHERE = 0x7fffffff;
export const localPlace = (port: number): number => -1 - port;
export const isLocal = (place: number): boolean => place < 0;
export const portOf = (place: number): number => -1 - place;

/** Generations are numbers of 15 bits, beside slots and ports of 16. */
export const MAX_GENERATION = 0x7fff;

export class Places {
  /** By slot, and by port; those beyond are in generation 0. */
  #slots = new Uint16Array(8);
  #ports = new Uint16Array(1);

  /** @returns the word for a place, of the same sign. */
  wordOf(place: number): number {
    if (place >= 0) return (generationOf(this.#slots, place) << 16) | place;
    return ~((generationOf(this.#ports, ~place) << 16) | ~place);
  }

  /** @returns the place, or NOWHERE where it has come to another generation. */
  placeOf(word: number): number {
    const bits = word ^ (word >> 31);
    const index = bits & 0xffff;
    if (generationOf(word < 0 ? this.#ports : this.#slots, index) !== bits >>> 16) return NOWHERE;
    return word < 0 ? ~index : index;
  }

  /** @param generation the next, unless said. */
  renew(place: number, generation?: number): void {
    const isPort = isLocal(place);
    const index = isPort ? ~place : place;
    let generations = isPort ? this.#ports : this.#slots;
    if (index >= generations.length) {
      const grown = new Uint16Array(Math.max(index + 1, generations.length * 2));
      grown.set(generations);
      generations = grown;
      if (isPort) this.#ports = grown;
      else this.#slots = grown;
    }
    generations[index] = (generation ?? generations[index]! + 1) & MAX_GENERATION;
  }
}

function generationOf(generations: Uint16Array, index: number): number {
  return index < generations.length ? generations[index]! : 0;
}
