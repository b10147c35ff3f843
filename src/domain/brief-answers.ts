/** The last answer to each tenant, for a moment: in this process or isolate alone, and no more of them than memory is meant for. */

/** From when it was made, milliseconds. */
const KEPT_MS = 1000;
/** Of all of them; beyond it the oldest goes. */
const MAX_CHARACTERS = 16_000_000;

interface Answer {
  readonly revision: number;
  readonly text: string;
  readonly at: number;
}

export class BriefAnswers {
  readonly #answers = new Map<string, Answer>();
  #characters = 0;

  /** @returns null where there is none of this revision, or it is too old. `now`: milliseconds since 1970. */
  get(tenantId: string, revision: number, now: number): string | null {
    const answer = this.#answers.get(tenantId);
    // A clock that was set back makes none last longer.
    const isFresh = answer !== undefined && answer.revision === revision && Math.abs(now - answer.at) < KEPT_MS;
    return isFresh ? answer.text : null;
  }

  keep(tenantId: string, revision: number, text: string, now: number): void {
    this.#forget(tenantId);
    if (text.length > MAX_CHARACTERS) return;
    this.#answers.set(tenantId, { revision, text, at: now });
    this.#characters += text.length;
    while (this.#characters > MAX_CHARACTERS) this.#forget(this.#answers.keys().next().value!);
  }

  #forget(tenantId: string): void {
    this.#characters -= this.#answers.get(tenantId)?.text.length ?? 0;
    this.#answers.delete(tenantId);
  }
}
