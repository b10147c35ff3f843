/** Who watches passing frames. While nobody does, a frame costs one branch: `isActive`. */
import { parseMac } from '../../src/contract/mac.ts';
import { readMac } from '../wire/ethernet.ts';
import type { PacketMemory } from '../wire/packet-batch.ts';
import { CaptureRingWriter, PLACE_HERE, PLACE_PORT, PLACE_VTEP } from './capture-ring.ts';
import type { CaptureRequest } from './datapath.ts';
import type { Network } from './network.ts';
import { isLocal, NOWHERE, portOf } from './places.ts';

export interface CaptureOptions extends CaptureRequest {
  /** From `createCaptureRing`. */
  readonly ring: SharedArrayBuffer;
  /** Microseconds since 1970. */
  readonly clock: () => number;
}

interface Watch {
  readonly vni: number;
  readonly macs: readonly number[];
  readonly snapLength: number;
  readonly clock: () => number;
  readonly writer: CaptureRingWriter;
}

export class Captures {
  isActive = false;
  readonly #watches = new Map<number, Watch>();
  #all: readonly Watch[] = [];

  /** @param number by which it is ended. */
  begin(number: number, { vni, macs, snapLength, ring, clock }: CaptureOptions): void {
    const writer = new CaptureRingWriter(ring);
    this.#watches.set(number, { vni, macs: macs.map((mac) => parseMac(mac)!), snapLength, clock, writer });
    this.#settle();
  }

  end(number: number): void {
    this.#watches.delete(number);
    this.#settle();
  }

  /**
   * @param from the place that the frame came from; NOWHERE for what was made here.
   * @param to where it goes; NOWHERE for every other site.
   */
  take(network: Network, from: number, to: number, memory: PacketMemory, frame: number, length: number): void {
    for (const watch of this.#all) {
      if (watch.vni === network.vni && concerns(watch.macs, memory.view, frame)) {
        const kept = memory.bytes.subarray(frame, frame + Math.min(length, watch.snapLength));
        watch.writer.write(
          watch.clock(),
          kindOf(from),
          nameOf(network, from),
          portNumberOf(network, from),
          kindOf(to),
          nameOf(network, to),
          portNumberOf(network, to),
          kept,
          length,
        );
      }
    }
  }

  #settle(): void {
    this.#all = [...this.#watches.values()];
    this.isActive = this.#all.length > 0;
  }
}

function concerns(macs: readonly number[], view: DataView, frame: number): boolean {
  return macs.length === 0 || macs.includes(readMac(view, frame)) || macs.includes(readMac(view, frame + 6));
}

function kindOf(place: number): number {
  if (place === NOWHERE) return PLACE_HERE;
  return isLocal(place) ? PLACE_PORT : PLACE_VTEP;
}

function nameOf(network: Network, place: number): string {
  if (place === NOWHERE) return '';
  return isLocal(place) ? (network.ports[portOf(place)]?.name ?? '') : (network.vtepAt(place)?.address ?? '');
}

function portNumberOf(network: Network, place: number): number {
  return place === NOWHERE || isLocal(place) ? 0 : (network.vtepAt(place)?.port ?? 0);
}
