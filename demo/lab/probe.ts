/** The lab's end of a probe (`demo/probes`): requests go out, events and results come back. */
import { fileURLToPath } from 'node:url';
import type { ProbeAnswer, ProbeEvent, ProbeRequest } from '../probes/protocol.ts';
import { Program } from './program.ts';

const PROBE = fileURLToPath(new URL('../probes/main.ts', import.meta.url));

/** Something that a probe does until it is done or stopped. */
export interface Activity<Result> {
  /** Rejects with what the probe said is wrong. */
  readonly result: Promise<Result>;
  /** Asks it to end. @returns the result as far as it came. */
  stop(): Promise<Result>;
}

export class Probe {
  readonly #program: Program;
  readonly #waiting = new Map<number, (answer: ProbeAnswer) => void>();
  #nextId = 1;

  /** @param prefix what runs a command in the namespace. */
  constructor(prefix: readonly string[], env: Readonly<Record<string, string>>) {
    this.#program = new Program([...prefix, process.execPath, PROBE], {
      env,
      onStdout: (line) => {
        const answer: ProbeAnswer = JSON.parse(line);
        this.#waiting.get(answer.id)?.(answer);
      },
    });
    void this.#program.ended.then(() => {
      const { message } = this.#program.failure('the probe ended');
      for (const [id, answer] of this.#waiting) answer({ id, event: 'error', message });
    });
  }

  /** Begins what `request` says. `onEvent` hears what comes before the result. */
  start<Result>(request: ProbeRequest, onEvent: (event: ProbeEvent) => void = () => undefined): Activity<Result> {
    const id = this.#nextId++;
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer.event !== 'result' && answer.event !== 'error') {
          onEvent(answer);
          return;
        }
        this.#waiting.delete(id);
        if (answer.event === 'result') resolve(answer.result as Result);
        else reject(new Error(`${request.do}: ${answer.message}`));
      });
    });
    // Whoever asked sees the rejection; an activity that nobody awaits must not end the process.
    result.catch(() => undefined);
    if (!this.#program.isRunning) this.#waiting.get(id)?.({ id, event: 'error', message: 'the probe has ended' });
    this.#say({ id, ...request });
    return {
      result,
      stop: () => {
        this.#say({ id, do: 'stop' });
        return result;
      },
    };
  }

  kill(): void {
    this.#program.child.kill('SIGKILL');
  }

  get ended(): Promise<unknown> {
    return this.#program.ended;
  }

  #say(message: object): void {
    this.#program.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}
