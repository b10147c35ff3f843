/** One thread of the data path, as control sees it: started, asked, told to stop. */
import { extname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { DatapathError } from '../datapath/datapath-error.ts';
import { Arena } from '../sys/arena.linux.ts';
import { write } from '../sys/libc.linux.ts';
import type { Answer, FromThread, ThreadOptions, ToThread } from './protocol.ts';

/** What a thread says without being asked. */
export type Said = Exclude<FromThread, Answer | { readonly type: 'ready' | 'failed' }>;
/** The question whose answer has that type. */
type Question = Extract<ToThread, { readonly id: number }>;

/** For the eventfd: one. Kept for good, since a system call reads it. */
const wakeValue = new Arena(new ArrayBuffer(64));
wakeValue.view.setUint32(0, 1, true);

export class DataThread {
  /** Called with what it says, and once when it died of itself. */
  onSaid: (said: Said) => void = () => {};
  onFailure: (reason: Error) => void = () => {};
  readonly #port: MessagePort;
  readonly #wakeFd: number;
  readonly #ended: Promise<void>;
  readonly #answers = new Map<number, { resolve(answer: Answer): void; reject(reason: Error): void }>();
  #nextId = 1;
  #failure: Error | null = null;
  #stopping = false;

  /** Resolves when it takes datagrams in. @throws DatapathError */
  static async start(options: ThreadOptions): Promise<DataThread> {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
      name: options.index === 0 ? 'datapath' : `datapath ${options.index}`,
      workerData: { port: port2, options },
      transferList: [port2],
      // It allocates hardly anything, so garbage needs little room.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    const first = await new Promise<FromThread>((resolve, reject) => {
      port1.once('message', resolve);
      worker.once('error', reject);
    });
    if (first.type === 'ready') return new DataThread(worker, port1, first.wakeFd);
    port1.close();
    await worker.terminate();
    if (first.type === 'failed') throw new DatapathError(first.code, first.message);
    throw new DatapathError('internal', `a thread of the data path began with ${first.type}`);
  }

  /** Use `start`. */
  private constructor(worker: Worker, port: MessagePort, wakeFd: number) {
    this.#port = port;
    this.#wakeFd = wakeFd;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    port.on('message', (message: FromThread) => this.#take(message));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    void this.#ended.then(() => this.#fail(new Error('a thread of the data path ended')));
  }

  send(message: ToThread): void {
    if (this.#failure !== null || this.#stopping) return;
    this.#port.postMessage(message);
    write(this.#wakeFd, wakeValue.address, 8);
  }

  /** @throws Error where it died before it answered. */
  async ask<Type extends Answer['type']>(
    type: Type,
    question: (id: number) => Question,
  ): Promise<Answer & { readonly type: Type }> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#nextId++;
    const answered = new Promise<Answer>((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.send(question(id));
    const answer = await answered;
    if (answer.type !== type) throw new Error(`asked for ${type}, and was answered ${answer.type}`);
    return answer as Answer & { readonly type: Type };
  }

  /** Resolves when it is gone, with its sockets and descriptors. */
  async stop(): Promise<void> {
    this.send({ type: 'stop' });
    this.#stopping = true;
    await this.#ended;
    this.#port.close();
  }

  #take(message: FromThread): void {
    switch (message.type) {
      case 'applied':
      case 'localMacs':
      case 'hinted':
      case 'capturing':
      case 'sourced':
      case 'fdb':
        this.#answers.get(message.id)?.resolve(message);
        this.#answers.delete(message.id);
        break;
      case 'failed':
        this.#fail(new DatapathError(message.code, message.message));
        break;
      case 'ready':
        break;
      default:
        this.onSaid(message);
    }
  }

  #fail(reason: Error): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    for (const { reject } of this.#answers.values()) reject(new DatapathError('internal', reason.message));
    this.#answers.clear();
    if (!this.#stopping) this.onFailure(reason);
  }
}
