/** What a test may make the memory gateway do wrong. All off at start. */
export class Faults {
  /** Every call waits this long. */
  latencyMs = 0;
  /** Uploaded bytes are taken at this rate; 0 = as they come. */
  uploadBytesPerSecond = 0;
  /** This many of the next uploads of bytes are answered 503. */
  failUploadsCount = 0;
  /** The change feed is refused. */
  isFeedDown = false;
  readonly #sleep: (waitMs: number) => Promise<void>;

  constructor(sleep: (waitMs: number) => Promise<void>) {
    this.#sleep = sleep;
  }

  /** Waits as told. */
  async pause(): Promise<void> {
    if (this.latencyMs > 0) await this.#sleep(this.latencyMs);
  }

  /** Takes one of the planned failures. */
  takeUploadFailure(): boolean {
    if (this.failUploadsCount === 0) return false;
    this.failUploadsCount -= 1;
    return true;
  }
}
