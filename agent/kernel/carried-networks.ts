/** The networks that stand in the kernel, found by VNI, and by the indexes of their devices, which are what the kernel tells of. */
import type { CarriedNetwork } from './carried-network.ts';
import type { Place } from './forwarding.ts';

export class CarriedNetworks {
  readonly #networks = new Map<number, CarriedNetwork>();
  readonly #byVxlan = new Map<number, CarriedNetwork>();
  readonly #byBridge = new Map<number, Set<CarriedNetwork>>();

  get(vni: number): CarriedNetwork | undefined {
    return this.#networks.get(vni);
  }

  /** Whose the vxlan device is. */
  behind(vxlan: number): CarriedNetwork | undefined {
    return this.#byVxlan.get(vxlan);
  }

  /** All that share a bridge. */
  in(bridge: number | undefined): Iterable<CarriedNetwork> {
    return (bridge === undefined ? undefined : this.#byBridge.get(bridge)) ?? [];
  }

  /** Whether the link is one of theirs. */
  have(index: number): boolean {
    return this.#byVxlan.has(index) || this.#byBridge.has(index);
  }

  get vnis(): Iterable<number> {
    return this.#networks.keys();
  }

  [Symbol.iterator](): Iterator<CarriedNetwork> {
    return this.#networks.values();
  }

  places(): Map<number, Place> {
    return new Map([...this].map(({ vni, place }) => [vni, place]));
  }

  add(network: CarriedNetwork): void {
    const { vxlan, bridge } = network.place;
    this.#networks.set(network.vni, network);
    this.#byVxlan.set(vxlan, network);
    this.#byBridge.set(bridge, (this.#byBridge.get(bridge) ?? new Set()).add(network));
  }

  delete({ vni, place }: CarriedNetwork): void {
    const sharing = this.#byBridge.get(place.bridge);
    sharing?.delete(this.#networks.get(vni)!);
    if (sharing?.size === 0) this.#byBridge.delete(place.bridge);
    this.#byVxlan.delete(place.vxlan);
    this.#networks.delete(vni);
  }
}
