/** Time, as a port: nothing in the product reads a clock in any other way. */
export interface Clock {
  /** Wall clock, ms since 1970. May jump; used for stamps that people read; nothing is safe because of it. */
  wallMs(): number;
  /** Ms since an arbitrary start; never goes back. May have a fraction. */
  monotonicMs(): number;
}
