/** The kernel data path as control sees it: hands the table to the thread that programs the kernel, and reads the kernel's counters. */
import { extname } from 'node:path';
import type { TableUpdate } from '../../src/contract/table.ts';
import type {
  ApplyReport,
  DatapathCounters,
  LearnedChanges,
  LocalMac,
  MovableDatapath,
  NetworkFdb,
  PeerPath,
  VtepSource,
} from '../datapath/datapath.ts';
import { DatapathError } from '../datapath/datapath-error.ts';
import { type OpenProber, openProber } from '../paths/open-prober.linux.ts';
import { AskedThread, type Common } from '../threads/asked-thread.ts';
import { KernelCounters } from './counters.ts';
import { isHere } from './host-addresses.ts';
import type { Answers, FromThread, Question, ThreadOptions, ToThread } from './protocol.ts';

export interface KernelDatapathOptions extends ThreadOptions {
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
}

type Answer = Extract<FromThread, { readonly type: 'answer' }>;
type Said = Exclude<FromThread, Answer | Common>;
type Thread = AskedThread<ToThread, Answer, Said>;

/** @throws DatapathError */
export async function openKernelDatapath(options: KernelDatapathOptions): Promise<MovableDatapath> {
  const { vtep, identity, dscp, sources } = options;
  const file = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
  try {
    const thread: Thread = await AskedThread.start({
      file,
      name: 'kernel',
      options: { vtep, identity, dscp, sources } satisfies ThreadOptions,
    });
    return new KernelDatapath(options, thread);
  } catch (error) {
    if (!(error instanceof DatapathError)) throw error;
    throw new DatapathError(error.code, `the kernel data path can't start: ${error.message}`);
  }
}

class KernelDatapath implements MovableDatapath {
  readonly #options: KernelDatapathOptions;
  readonly #thread: Thread;
  readonly #counters: KernelCounters;
  readonly #prober: OpenProber;
  #probesOverLimit = 0;
  #asksFromVtep: boolean;
  readonly #failureListeners: ((reason: Error) => void)[] = [];
  #learned: (changes: LearnedChanges) => void = () => {};
  #reported: (report: ApplyReport) => void = () => {};
  #stopped: Promise<void> | null = null;
  #failed = false;

  constructor(options: KernelDatapathOptions, thread: Thread) {
    this.#options = options;
    this.#thread = thread;
    this.#counters = new KernelCounters(options.identity, options.vtep.address?.includes(':') === true);
    this.#prober = openProber(options.sources?.[0] ?? { address: null }, options.vtep.port);
    this.#asksFromVtep = options.sources !== undefined;
    thread.onSaid = (said) => this.#take(said);
    thread.onFailure = (reason) => {
      this.#failed = true;
      this.#prober.stop();
      for (const listener of this.#failureListeners) listener(reason);
    };
  }

  async apply(update: TableUpdate): Promise<ApplyReport> {
    this.#prober.follow(update);
    return this.#stands(await this.#ask({ type: 'apply', update }));
  }

  async retry(): Promise<ApplyReport> {
    return this.#stands(await this.#ask({ type: 'apply', update: null }));
  }

  /** Only of one that was opened with sources. */
  async setSources(sources: readonly VtepSource[]): Promise<void> {
    const report = await this.#ask({ type: 'sources', sources });
    if (sources[0] !== undefined) this.#prober.setSource(sources[0]);
    this.#reported(this.#stands(report));
  }

  onReport(listener: (report: ApplyReport) => void): void {
    this.#reported = listener;
  }

  onLearned(listener: (changes: LearnedChanges) => void): void {
    this.#learned = listener;
  }

  localMacs(): Promise<readonly LocalMac[]> {
    return this.#ask({ type: 'localMacs' });
  }

  fdb(): Promise<readonly NetworkFdb[]> {
    return this.#ask({ type: 'fdb' });
  }

  counters(): DatapathCounters {
    const { agent, networks } = this.#counters.read();
    const dropped = { dropUnlistedProbe: this.#prober.unlisted, dropProbeLimit: this.#probesOverLimit };
    return { agent: { ...agent, ...dropped }, networks };
  }

  paths(): readonly PeerPath[] {
    return this.#prober.paths();
  }

  onPathChange(listener: () => void): void {
    this.#prober.onChange = listener;
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#failureListeners.push(listener);
  }

  stop({ keep } = { keep: false }): Promise<void> {
    this.#stopped ??= this.#stop(keep);
    return this.#stopped;
  }

  async #stop(keep: boolean): Promise<void> {
    this.#prober.stop();
    if (this.#failed) return;
    await this.#thread.askToStop((id) => ({ type: 'stop', keep, id }));
    this.#counters.close();
  }

  #take(said: Said): void {
    switch (said.type) {
      case 'learned':
        this.#learned(said.changes);
        break;
      case 'report':
        this.#reported(this.#stands(said.report));
        break;
      case 'probes':
        this.#probesOverLimit = said.overLimit;
        for (const heard of said.heard) this.#prober.heard(heard);
        break;
      case 'notice':
        this.#options.log(said.level, said.message);
        break;
    }
  }

  #stands(report: ApplyReport): ApplyReport {
    const { address } = this.#options.vtep;
    // What is no address of this host may come to be one; or it is a NAT's before it.
    if (!this.#asksFromVtep && address !== null && isHere(address)) {
      this.#asksFromVtep = true;
      this.#prober.setSource({ address });
    }
    this.#prober.inForce(report.mtus);
    return report;
  }

  async #ask<Type extends Question['type']>(question: Question & { readonly type: Type }): Promise<Answers[Type]> {
    const { answer } = await this.#thread.ask((id) => ({ ...question, id }));
    return answer as Answers[Type];
  }
}
