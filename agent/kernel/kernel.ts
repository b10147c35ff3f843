/** The kernel data path as control sees it: hands the table to the thread that programs the kernel, and reads the kernel's counters. */
import { extname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
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
import { Arena } from '../sys/arena.linux.ts';
import { write } from '../sys/libc.linux.ts';
import { KernelCounters } from './counters.ts';
import type { Answers, FromThread, Question, ThreadOptions } from './protocol.ts';

export interface KernelDatapathOptions extends ThreadOptions {
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
}

interface Waiting {
  resolve(answer: Answers[keyof Answers]): void;
  reject(reason: Error): void;
}

/** @throws DatapathError */
export async function openKernelDatapath(options: KernelDatapathOptions): Promise<MovableDatapath> {
  const { vtep, identity, dscp, sources } = options;
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'kernel',
    workerData: { port: port2, options: { vtep, identity, dscp, sources } satisfies ThreadOptions },
    transferList: [port2],
  });
  const first = await new Promise<FromThread>((resolve, reject) => {
    port1.once('message', resolve);
    thread.once('error', reject);
  });
  if (first.type === 'ready') return new KernelDatapath(options, thread, port1, first.wakeFd);
  port1.close();
  await thread.terminate();
  if (first.type !== 'failed')
    throw new DatapathError('internal', `the kernel data path's thread began with ${first.type}`);
  throw new DatapathError(first.code, `the kernel data path can't start: ${first.message}`);
}

class KernelDatapath implements MovableDatapath {
  readonly #options: KernelDatapathOptions;
  readonly #thread: Worker;
  readonly #port: MessagePort;
  readonly #wakeFd: number;
  readonly #wakeValue = new Arena(64);
  readonly #waiting = new Map<number, Waiting>();
  readonly #counters: KernelCounters;
  readonly #failureListeners: ((reason: Error) => void)[] = [];
  #learned: (changes: LearnedChanges) => void = () => {};
  #reported: (report: ApplyReport) => void = () => {};
  #nextId = 1;
  #stopped: Promise<void> | null = null;
  #failure: Error | null = null;

  constructor(options: KernelDatapathOptions, thread: Worker, port: MessagePort, wakeFd: number) {
    this.#options = options;
    this.#thread = thread;
    this.#port = port;
    this.#wakeFd = wakeFd;
    this.#wakeValue.view.setUint32(0, 1, true);
    this.#counters = new KernelCounters(options.identity, options.vtep.address?.includes(':') === true);
    port.on('message', (message: FromThread) => this.#take(message));
    thread.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    thread.on('exit', () => this.#fail(new Error("the kernel data path's thread ended")));
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
    if (this.#failure !== null) return;
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve));
    await this.#ask({ type: 'stop', keep });
    await ended;
    this.#port.close();
    this.#counters.close();
  }

  #take(message: FromThread): void {
    switch (message.type) {
      case 'answer':
        this.#settled(message.id)?.resolve(message.answer);
        break;
      case 'refusal':
        this.#settled(message.id)?.reject(new DatapathError(message.code, message.message));
        break;
      case 'learned':
        this.#learned(message.changes);
        break;
      case 'report':
        this.#reported(message.report);
        break;
      case 'notice':
        this.#options.log(message.level, message.message);
        break;
      case 'failed':
        this.#fail(new DatapathError(message.code, message.message));
        break;
      case 'ready':
        break;
    }
  }

  #fail(reason: Error): void {
    if (this.#stopped !== null || this.#failure !== null) return;
    this.#failure = reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    for (const listener of this.#failureListeners) listener(reason);
  }

  #settled(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #ask<Type extends Question['type']>(question: Question & { readonly type: Type }): Promise<Answers[Type]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#stopped !== null && question.type !== 'stop') {
      return Promise.reject(new DatapathError('stopped', 'the data path was stopped'));
    }
    const id = this.#nextId++;
    const answer = new Promise<Answers[Type]>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as Answers[Type]), reject });
    });
    this.#port.postMessage({ ...question, id });
    write(this.#wakeFd, this.#wakeValue.address, 8);
    return answer;
  }
}
