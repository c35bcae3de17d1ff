/** Which master to try next: the one that was named as leader, else around the list. Pure. */
export class MasterRing {
  readonly #addresses: readonly string[];
  #next = 0;
  #hint: string | undefined;
  /** Redirects followed since the last welcome; masters that name each other must not be asked in circles without rest. */
  #redirectCount = 0;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  /** The address to try now. */
  take(): string {
    const hint = this.#hint;
    this.#hint = undefined;
    if (hint !== undefined) return hint;
    const address = this.#addresses[this.#next % this.#addresses.length] ?? "";
    this.#next = (this.#next + 1) % this.#addresses.length;
    return address;
  }

  /** A master named the leader. True: it may be asked at once. */
  noteRedirect(leaderAddress: string): boolean {
    if (leaderAddress === "") return false;
    this.#hint = leaderAddress;
    this.#redirectCount++;
    return this.#redirectCount <= this.#addresses.length;
  }

  /** A master said welcome: it is the one to come back to first. */
  noteWelcome(address: string): void {
    this.#redirectCount = 0;
    const position = this.#addresses.indexOf(address);
    if (position >= 0) this.#next = position;
  }
}
