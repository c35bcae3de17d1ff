/** Runs pieces of work one after another, in the order in which they were asked for; one that fails stops no other. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the work does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Who asked is told of the failure.
    this.#last = done.catch(() => undefined);
    return done;
  }
}
