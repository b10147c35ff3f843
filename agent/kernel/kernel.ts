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
  VtepSource,
} from '../datapath/datapath.ts';
import { DatapathError } from '../datapath/datapath-error.ts';
import { AskedThread, type Common } from '../threads/asked-thread.ts';
import { KernelCounters } from './counters.ts';
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
  readonly #failureListeners: ((reason: Error) => void)[] = [];
  #learned: (changes: LearnedChanges) => void = () => {};
  #reported: (report: ApplyReport) => void = () => {};
  #stopped: Promise<void> | null = null;
  #failed = false;

  constructor(options: KernelDatapathOptions, thread: Thread) {
    this.#options = options;
    this.#thread = thread;
    this.#counters = new KernelCounters(options.identity, options.vtep.address?.includes(':') === true);
    thread.onSaid = (said) => this.#take(said);
    thread.onFailure = (reason) => {
      this.#failed = true;
      for (const listener of this.#failureListeners) listener(reason);
    };
  }

  apply(update: TableUpdate): Promise<ApplyReport> {
    return this.#ask({ type: 'apply', update });
  }

  retry(): Promise<ApplyReport> {
    return this.#ask({ type: 'apply', update: null });
  }

  /** Only of one that was opened with sources. */
  async setSources(sources: readonly VtepSource[]): Promise<void> {
    this.#reported(await this.#ask({ type: 'sources', sources }));
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
    return this.#counters.read();
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#failureListeners.push(listener);
  }

  stop({ keep } = { keep: false }): Promise<void> {
    this.#stopped ??= this.#stop(keep);
    return this.#stopped;
  }

  async #stop(keep: boolean): Promise<void> {
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
        this.#reported(said.report);
        break;
      case 'notice':
        this.#options.log(said.level, said.message);
        break;
    }
  }

  async #ask<Type extends Question['type']>(question: Question & { readonly type: Type }): Promise<Answers[Type]> {
    const { answer } = await this.#thread.ask((id) => ({ ...question, id }));
    return answer as Answers[Type];
  }
}
