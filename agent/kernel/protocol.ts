/** What the main thread and the kernel data path's thread say to each other. */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { ApplyReport, LearnedChanges, LocalMac, NetworkFdb, VtepSource } from '../datapath/datapath.ts';
import type { DscpMode } from '../datapath/forwarding-rules.ts';
import type { HeardProbe } from '../datapath/probe-inbox.ts';
import type { Common } from '../threads/asked-thread.ts';

/** What the thread is made with. */
export interface ThreadOptions {
  /** In canonical text, or null for every address of the host. */
  readonly vtep: { readonly address: string | null; readonly port: number };
  /** Where VXLAN comes and goes by certain interfaces alone: by the first of these, and from each. */
  readonly sources?: readonly VtepSource[] | undefined;
  readonly identity: string;
  readonly dscp: DscpMode;
}

export type Question =
  /** `update` null: look after what stands. */
  | { readonly type: 'apply'; readonly update: TableUpdate | null }
  | { readonly type: 'sources'; readonly sources: readonly VtepSource[] }
  | { readonly type: 'fdb' }
  | { readonly type: 'localMacs' }
  /** `keep`: leave the kernel forwarding. */
  | { readonly type: 'stop'; readonly keep: boolean };

export interface Answers {
  readonly apply: ApplyReport;
  readonly sources: ApplyReport;
  readonly fdb: readonly NetworkFdb[];
  readonly localMacs: readonly LocalMac[];
  readonly stop: null;
}

export type ToThread = Question & { readonly id: number };

export type FromThread =
  | Common
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] }
  /** Something to say once in the log. */
  | { readonly type: 'notice'; readonly level: 'info' | 'warn'; readonly message: string }
  /** What stands was looked after. */
  | { readonly type: 'report'; readonly report: ApplyReport }
  /** `overLimit`: how many were not looked at since the start, since too many came. */
  | { readonly type: 'probes'; readonly heard: readonly HeardProbe[]; readonly overLimit: number }
  /** Stations came to this host's side, or went. */
  | { readonly type: 'learned'; readonly changes: LearnedChanges };
