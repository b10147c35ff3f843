/** What the main thread and the data path's thread say to each other. Frames are never among it. */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { LearnedChanges, LocalMac, NetworkFdb } from '../datapath/datapath.ts';
import type { ForwardingRules } from '../datapath/forwarding-rules.ts';
import type { TapDevice } from '../ports/tap-device.linux.ts';

/** What the thread is made with. */
export interface ThreadOptions {
  /** The VTEP's own address, or null for every address of the host. */
  readonly address: string | null;
  readonly port: number;
  /** From `createCounterMemory`. */
  readonly counters: Float64Array<SharedArrayBuffer>;
  /** From `createPeerCounterMemory`. */
  readonly peerCounters: Float64Array<SharedArrayBuffer>;
  readonly rules: ForwardingRules;
}

/** A TAP for a network; the thread closes its descriptor. */
export interface PortAssignment {
  readonly vni: number;
  readonly device: TapDevice;
}

export type ToThread =
  | {
      readonly type: 'apply';
      readonly id: number;
      /** In this order: ports that go, the table, the MTUs, ports that come. */
      readonly closePorts: readonly number[];
      readonly update: TableUpdate | null;
      readonly mtus: ReadonlyMap<number, number>;
      readonly openPorts: readonly PortAssignment[];
    }
  | { readonly type: 'fdb'; readonly id: number }
  | { readonly type: 'localMacs'; readonly id: number }
  | { readonly type: 'stop' };

export type FromThread =
  /** `wakeFd` is an eventfd: written to after a message, since the thread waits in the kernel. */
  | { readonly type: 'ready'; readonly wakeFd: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'applied';
      readonly id: number;
      readonly problems: ReadonlyMap<number, string>;
      /** Where the counters of each network start. */
      readonly counterBases: ReadonlyMap<number, number>;
    }
  | { readonly type: 'fdb'; readonly id: number; readonly networks: readonly NetworkFdb[] }
  /** Something to say once in the log. */
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'localMacs'; readonly id: number; readonly macs: readonly LocalMac[] }
  /** Stations came to this host's ports, or went. */
  | { readonly type: 'learned'; readonly changes: LearnedChanges }
  /** The TAP is gone: somebody deleted it. */
  | { readonly type: 'portLost'; readonly vni: number };
