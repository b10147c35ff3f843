/** Whether the gateway answers, kept for the status, and said in the log when it changes and only then. */
import type { Refused, Unavailable } from './client.ts';
import type { Log } from './log.ts';
import type { Contact } from './status.ts';

export class ContactRecord {
  /** Tries in a row that failed. */
  failures = 0;
  readonly #now: () => number;
  readonly #log: Log;
  #current: Contact;
  #lastContactAt: string | undefined;

  constructor(now: () => number, log: Log) {
    this.#now = now;
    this.#log = log;
    this.#current = { state: 'starting', since: this.#time() };
  }

  get current(): Contact {
    const { state, since, error } = this.#current;
    return {
      state,
      since,
      ...(this.#lastContactAt === undefined ? {} : { lastContactAt: this.#lastContactAt }),
      ...(error === undefined ? {} : { error }),
    };
  }

  reached(): void {
    this.failures = 0;
    this.#lastContactAt = this.#time();
    if (this.#current.state === 'reachable') return;
    this.#log('info', 'the gateway answers');
    this.#current = { state: 'reachable', since: this.#time() };
  }

  failed(failure: Refused | Unavailable): void {
    this.failures++;
    const state = failure.kind === 'refused' ? 'refused' : 'unreachable';
    const error = failure.kind === 'refused' ? `${failure.code}: ${failure.detail}` : failure.reason;
    const codeChanged = failure.kind === 'refused' && !this.#current.error?.startsWith(`${failure.code}:`);
    if (this.#current.state !== state || codeChanged) {
      if (failure.kind === 'refused') this.#log('error', `the gateway refuses this site: ${error}`);
      else this.#log('warn', `the gateway can't be reached, forwarding goes on by the last good table: ${error}`);
    }
    const since = this.#current.state === state ? this.#current.since : this.#time();
    this.#current = { state, since, error };
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}
