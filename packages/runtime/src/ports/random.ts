/** Randomness, as a port. In the simulator it is seeded; in production it is the operating system's. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
}
