/** Work that is done one after the other, in the order in which it was asked for. That one fails is no matter of the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns what the work comes to, when its turn has come. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all that was asked for so far is done. */
  async done(): Promise<void> {
    await this.#last;
  }
}
