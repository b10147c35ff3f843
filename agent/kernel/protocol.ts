/** What the main thread and the kernel data path's thread say to each other. */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { ApplyReport, LearnedChanges, LocalMac, NetworkFdb, VtepSource } from '../datapath/datapath.ts';
import type { DscpMode } from '../datapath/forwarding-rules.ts';

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
  /** `wakeFd` is an eventfd: written to after a message, since the thread waits in the kernel. */
  | { readonly type: 'ready'; readonly wakeFd: number }
  /** It can't start, or died. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly type: 'refusal'; readonly id: number; readonly code: string; readonly message: string }
  /** Something to say once in the log. */
  | { readonly type: 'notice'; readonly level: 'info' | 'warn'; readonly message: string }
  /** What stands was looked after. */
  | { readonly type: 'report'; readonly report: ApplyReport }
  /** Stations came to this host's side, or went. */
  | { readonly type: 'learned'; readonly changes: LearnedChanges };
