/** What the main thread and the data path's threads say to each other. Frames are never among it. */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { CaptureRequest, LearnedChanges, LocalMac, NetworkFdb } from '../datapath/datapath.ts';
import type { ForwardingRules } from '../datapath/forwarding-rules.ts';
import type { HeardProbe } from '../datapath/probe-inbox.ts';
import type { StationHint } from '../datapath/station-hints.ts';
import type { TapQueue } from '../ports/tap-device.linux.ts';
import type { UnderlaySource } from '../underlay/udp.linux.ts';

/** What a thread is made with. */
export interface ThreadOptions {
  /** Which thread it is, of how many. The first keeps the site's stations. */
  readonly index: number;
  readonly count: number;
  readonly source: UnderlaySource;
  readonly port: number;
  /** From `createCounterMemory`; the thread's own. */
  readonly counters: Float64Array<SharedArrayBuffer>;
  /** From `createPeerCounterMemory`; the thread's own. */
  readonly peerCounters: Float64Array<SharedArrayBuffer>;
  readonly rules: ForwardingRules;
}

/** A TAP for a network; the thread closes its descriptor. */
export interface PortAssignment {
  readonly vni: number;
  /** A number that is the same in every thread, and another one for each device. */
  readonly id: number;
  readonly queue: TapQueue;
}

export type ToThread =
  | {
      readonly type: 'apply';
      readonly id: number;
      /** In this order: ports that go, the table, the MTUs, ports that come. */
      readonly closePorts: readonly number[];
      readonly update: TableUpdate | null;
      /** Of the update's networks, what the threads share. Empty where there is one thread. */
      readonly memories: ReadonlyMap<number, SharedArrayBuffer>;
      readonly mtus: ReadonlyMap<number, number>;
      readonly openPorts: readonly PortAssignment[];
    }
  | { readonly type: 'fdb'; readonly id: number }
  | { readonly type: 'localMacs'; readonly id: number }
  /** `clockOffset` is what to add to the thread's own wall clock, in microseconds. */
  | {
      readonly type: 'capture';
      readonly id: number;
      readonly number: number;
      readonly request: CaptureRequest;
      readonly ring: SharedArrayBuffer;
      readonly clockOffset: number;
    }
  | { readonly type: 'endCapture'; readonly number: number }
  /** Where datagrams are taken in from now on; they are sent from the first. */
  | { readonly type: 'sources'; readonly id: number; readonly sources: readonly UnderlaySource[] }
  /** To the first thread: what the others have to say of stations. */
  | { readonly type: 'hints'; readonly hints: readonly StationHint[] }
  /** To the others: say it now. */
  | { readonly type: 'hint'; readonly id: number }
  | { readonly type: 'stop' };

export type FromThread =
  /** `wakeFd` is an eventfd: written to after a message, since the thread waits in the kernel. */
  | { readonly type: 'ready'; readonly wakeFd: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | Answer
  /** Something to say once in the log. */
  | { readonly type: 'notice'; readonly message: string }
  /** Stations came to this host's ports, or went: from the first thread. */
  | { readonly type: 'learned'; readonly changes: LearnedChanges }
  /** Stations that the first thread shall look at. */
  | { readonly type: 'hints'; readonly hints: readonly StationHint[] }
  | { readonly type: 'probes'; readonly heard: readonly HeardProbe[] }
  /** The TAP is gone: somebody deleted it. */
  | { readonly type: 'portLost'; readonly vni: number; readonly portId: number };

export type Answer =
  | {
      readonly type: 'applied';
      readonly id: number;
      readonly problems: ReadonlyMap<number, string>;
      /** Where the counters of each network start. */
      readonly counterBases: ReadonlyMap<number, number>;
    }
  | { readonly type: 'fdb'; readonly id: number; readonly networks: readonly NetworkFdb[] }
  | { readonly type: 'localMacs'; readonly id: number; readonly macs: readonly LocalMac[] }
  | { readonly type: 'capturing'; readonly id: number }
  /** `error`: why the sources stay what they were. */
  | { readonly type: 'sourced'; readonly id: number; readonly error: string | null }
  | { readonly type: 'hinted'; readonly id: number };
