/** One thread of the data path, as control sees it. */
import { extname } from 'node:path';
import { AskedThread } from '../threads/asked-thread.ts';
import type { Answer, FromThread, ThreadOptions, ToThread } from './protocol.ts';

/** What a thread says without being asked. */
export type Said = Exclude<FromThread, Answer | { readonly type: 'ready' | 'failed' }>;
/** The question whose answer has that type. */
type Question = Extract<ToThread, { readonly id: number }>;

export class DataThread {
  readonly #thread: AskedThread<ToThread, Answer, Said>;

  /** Resolves when it takes datagrams in. @throws DatapathError */
  static async start(options: ThreadOptions): Promise<DataThread> {
    const file = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
    const name = options.index === 0 ? 'datapath' : `datapath ${options.index}`;
    // It allocates hardly anything, so garbage needs little room.
    const resourceLimits = { maxYoungGenerationSizeMb: 2 };
    return new DataThread(await AskedThread.start({ file, name, options, resourceLimits }));
  }

  /** Use `start`. */
  private constructor(thread: AskedThread<ToThread, Answer, Said>) {
    this.#thread = thread;
  }

  /** Called with what it says. */
  set onSaid(listener: (said: Said) => void) {
    this.#thread.onSaid = listener;
  }

  /** Called once when it died of itself. */
  set onFailure(listener: (reason: Error) => void) {
    this.#thread.onFailure = listener;
  }

  send(message: ToThread): void {
    this.#thread.send(message);
  }

  /** @throws Error where it died before it answered. */
  async ask<Type extends Answer['type']>(
    type: Type,
    question: (id: number) => Question,
  ): Promise<Answer & { readonly type: Type }> {
    const answer = await this.#thread.ask(question);
    if (answer.type !== type) throw new Error(`asked for ${type}, and was answered ${answer.type}`);
    return answer as Answer & { readonly type: Type };
  }

  /** Resolves when it is gone, with its sockets and descriptors. */
  stop(): Promise<void> {
    return this.#thread.stop({ type: 'stop' });
  }
}
