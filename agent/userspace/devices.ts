/** The TAPs of a data path: one for each network that the table gives a port, kept as the table says. */
import type { PortSpec } from '../../src/contract/port.ts';
import type { NetworkChange, NetworkTable, TableUpdate } from '../../src/contract/table.ts';
import { MAX_GENERATION } from '../datapath/places.ts';
import { PortError } from '../ports/ownership.ts';
import {
  forgetTap,
  maintainTap,
  openTap,
  removeLeftTaps,
  type TapDevice,
  type TapRequest,
} from '../ports/tap-device.linux.ts';
import type { PortAssignment } from './protocol.ts';

interface Wanted {
  readonly network: string;
  readonly port: PortSpec;
  readonly mtu: number;
}

interface OpenDevice extends TapDevice {
  /** The network and port it was opened for; another wants another device. */
  readonly key: string;
  readonly id: number;
}

export interface DevicesOptions {
  /** Who we are: the same across restarts, another for each agent of a host. */
  readonly identity: string;
  /** How many threads use each. */
  readonly threads: number;
  /** Something to say once. */
  readonly notice: (message: string) => void;
}

export class Devices {
  /** Why a network has no port, by VNI. */
  readonly errors = new Map<number, string>();
  /** The MTU in force on the port of each network that has one. */
  mtus: ReadonlyMap<number, number> = new Map();
  readonly #options: DevicesOptions;
  readonly #wanted = new Map<number, Wanted>();
  readonly #open = new Map<number, OpenDevice>();
  /** Lost, but perhaps not by every thread yet. */
  readonly #lost = new Set<number>();
  #lastId = 0;
  #leftRemoved = false;

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** Takes note of what a table says. */
  want(update: TableUpdate): void {
    if (update.kind === 'snapshot') this.#wanted.clear();
    else for (const vni of update.goneNetworks ?? []) this.#wanted.delete(vni);
    for (const { vni, network, port, mtu } of update.networks as readonly (NetworkTable | NetworkChange)[]) {
      this.#wanted.set(vni, { network, port, mtu });
    }
  }

  isWanted(vni: number): boolean {
    return this.#wanted.has(vni);
  }

  /** Lets go of what is not wanted, and of what an earlier run left. @returns the networks whose ports every thread has to close. */
  closeUnwanted(): number[] {
    if (!this.#leftRemoved) {
      removeLeftTaps(this.#options.identity, (name, vni) => {
        const port = this.#wanted.get(vni)?.port;
        return port !== undefined && requestOf(vni, port, 0, 1)?.name === name;
      });
      this.#leftRemoved = true;
    }
    const closed = [...this.#lost];
    this.#lost.clear();
    for (const [vni, device] of this.#open) {
      const wanted = this.#wanted.get(vni);
      if (wanted !== undefined && keyOf(wanted) === device.key) continue;
      forgetTap(device);
      this.#open.delete(vni);
      closed.push(vni);
    }
    return closed;
  }

  /**
   * Opens what is wanted, and mends what is open. To be called when every thread has closed what is not.
   * @param mtuLimit the largest MTU that a port may have.
   * @returns for each thread, the ports that are new to it.
   */
  openWanted(mtuLimit: number): PortAssignment[][] {
    const { identity, threads, notice } = this.#options;
    const opened: PortAssignment[][] = Array.from({ length: threads }, () => []);
    const mtus = new Map<number, number>();
    this.errors.clear();
    for (const [vni, wanted] of this.#wanted) {
      const mtu = Math.min(wanted.mtu, mtuLimit);
      try {
        const request = requestOf(vni, wanted.port, mtu, threads);
        if (request === null) throw new PortError(`this version of the agent has no ports of type ${wanted.port.type}`);
        if (this.#open.has(vni)) {
          maintainTap(identity, request);
        } else {
          const device = openTap(identity, request);
          const id = this.#nextId();
          this.#open.set(vni, { ...device, key: keyOf(wanted), id });
          for (const [i, queue] of device.queues.entries()) opened[i]!.push({ vni, id, queue });
          if (threads > 1 && !device.isMultiQueue) {
            notice(`the interface ${device.name} has one queue, from when it was made: one thread reads it for all`);
          }
          if (device.unsteered !== null) {
            notice(
              `a flow of the host may change threads when its answers do, since it can't be steered (${device.unsteered})`,
            );
          }
        }
        mtus.set(vni, mtu);
      } catch (error) {
        this.errors.set(vni, error instanceof Error ? error.message : String(error));
      }
    }
    this.mtus = mtus;
    return opened;
  }

  /**
   * A thread found the device deleted.
   * @returns the interface's name; null where that is known already.
   */
  lose(vni: number, id: number): string | null {
    const device = this.#open.get(vni);
    if (device?.id !== id) return null;
    this.#open.delete(vni);
    this.#lost.add(vni);
    this.errors.set(vni, `the interface ${device.name} was deleted by somebody; it is made again`);
    return device.name;
  }

  /** From 1 on, and again when 2^15 devices have been opened, of which none is left by then. */
  #nextId(): number {
    this.#lastId = (this.#lastId % MAX_GENERATION) + 1;
    return this.#lastId;
  }

  /** They go when the threads close them. */
  forgetAll(): void {
    for (const device of this.#open.values()) forgetTap(device);
    this.#open.clear();
  }
}

/** What device a port needs; null for a kind of port that we have none for. A bridge's port has a name of its own making. */
function requestOf(vni: number, port: PortSpec, mtu: number, threads: number): TapRequest | null {
  if (port.type === 'host') return { name: port.name, vni, mtu, threads };
  if (port.type === 'bridge') return { name: `ovl${vni}`, vni, mtu, bridge: port.name, threads };
  return null;
}

function keyOf({ network, port }: Wanted): string {
  return `${network} ${JSON.stringify(port)}`;
}
