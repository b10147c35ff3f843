/**
 * A thread that waits in the kernel, as control sees it: started, told, asked, and heard. What is posted to it is followed by a write to its
 * eventfd, which wakes it. Who asks gives the question a number, and the answer bears the same.
 */
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { DatapathError } from '../datapath/datapath-error.ts';
import { Arena } from '../sys/arena.linux.ts';
import { write } from '../sys/libc.linux.ts';

/** What every such thread may say; it begins with one of the first two. */
export type Common =
  /** `wakeFd` is an eventfd: written to after a message. */
  | { readonly type: 'ready'; readonly wakeFd: number }
  /** It can't start, or died. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** In the place of an answer. */
  | { readonly type: 'refusal'; readonly id: number; readonly code: string; readonly message: string };

export interface ThreadOptions {
  readonly file: URL;
  readonly name: string;
  /** It finds these in `workerData`, beside the `port` to speak by. */
  readonly options: object;
  readonly resourceLimits?: ResourceLimits;
}

interface Waiting<Answer> {
  resolve(answer: Answer): void;
  reject(reason: Error): void;
}

/** For the eventfd: one. Kept for good, since a system call reads it. */
const wakeValue = new Arena(new ArrayBuffer(64));
wakeValue.view.setUint32(0, 1, true);

export class AskedThread<Told, Answer extends { readonly id: number }, Said extends { readonly type: string }> {
  /** Called with what it says without being asked, and once when it died of itself. */
  onSaid: (said: Said) => void = () => {};
  onFailure: (reason: Error) => void = () => {};
  readonly #name: string;
  readonly #port: MessagePort;
  readonly #wakeFd: number;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #nextId = 1;
  #failure: Error | null = null;
  #stopping = false;

  /** Resolves when it is ready. @throws DatapathError */
  static async start<Told, Answer extends { readonly id: number }, Said extends { readonly type: string }>(
    thread: ThreadOptions,
  ): Promise<AskedThread<Told, Answer, Said>> {
    const { file, name, options, resourceLimits } = thread;
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(file, {
      name,
      workerData: { port: port2, options },
      transferList: [port2],
      ...(resourceLimits && { resourceLimits }),
    });
    const first = await new Promise<Common | Said>((resolve, reject) => {
      port1.once('message', resolve);
      worker.once('error', reject);
    });
    if (first.type === 'ready') return new AskedThread(name, worker, port1, (first as { wakeFd: number }).wakeFd);
    port1.close();
    await worker.terminate();
    if (first.type !== 'failed') throw new DatapathError('internal', `the thread ${name} began with ${first.type}`);
    const { code, message } = first as { code: string; message: string };
    throw new DatapathError(code, message);
  }

  /** Use `start`. */
  private constructor(name: string, worker: Worker, port: MessagePort, wakeFd: number) {
    this.#name = name;
    this.#port = port;
    this.#wakeFd = wakeFd;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    port.on('message', (message: Common | Answer | Said) => this.#take(message));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.once('exit', () => this.#exited());
  }

  send(message: Told): void {
    if (this.#failure !== null || this.#stopping) return;
    this.#post(message);
  }

  /** @throws Error where it died before it answered, or refused. */
  ask(question: (id: number) => Told): Promise<Answer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#stopping) return Promise.reject(new DatapathError('stopped', 'the data path was stopped'));
    const id = this.#nextId++;
    const answered = new Promise<Answer>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#post(question(id));
    return answered;
  }

  /**
   * Resolves when it is gone, with its sockets and descriptors.
   * @param last tells it to end.
   */
  async stop(last: Told): Promise<void> {
    this.send(last);
    await this.#gone();
  }

  /** As `stop`, where the last is a question. @throws Error where it was refused; gone it is in either case. */
  async askToStop(last: (id: number) => Told): Promise<Answer> {
    const [answer] = await Promise.allSettled([this.ask(last), this.#gone()]);
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  }

  async #gone(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
    this.#port.close();
  }

  #post(message: Told): void {
    this.#port.postMessage(message);
    write(this.#wakeFd, wakeValue.address, 8);
  }

  #take(message: Common | Answer | Said): void {
    if ('id' in message) {
      const { id } = message;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (!isRefusal(message)) waiting?.resolve(message);
      else waiting?.reject(new DatapathError(message.code, message.message));
    } else if (message.type === 'failed') {
      const { code, message: reason } = message as { readonly code: string; readonly message: string };
      this.#fail(new DatapathError(code, reason));
    } else this.onSaid(message as Said);
  }

  #exited(): void {
    // What it said last may not have come yet.
    for (let last = receiveMessageOnPort(this.#port); last !== undefined; last = receiveMessageOnPort(this.#port)) {
      this.#take(last.message);
    }
    this.#fail(new Error(`the thread ${this.#name} ended`));
  }

  #fail(reason: Error): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    for (const { reject } of this.#waiting.values()) reject(new DatapathError('internal', reason.message));
    this.#waiting.clear();
    if (!this.#stopping) this.onFailure(reason);
  }
}

function isRefusal(message: { readonly id: number }): message is Extract<Common, { readonly type: 'refusal' }> {
  return (message as { readonly type?: unknown }).type === 'refusal';
}
