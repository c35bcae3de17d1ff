import type { Random } from "../ports/random.ts";

/** Reproducible randomness with the draws that a simulation needs. */
export interface SeededRandom extends Random {
  /** Uniform whole number, 0 <= n < limit. */
  integer(limit: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** Uniform in [min, max). */
  between(min: number, max: number): number;
  /** One of a non-empty list. */
  pick<T>(choices: readonly T[]): T;
  /** An independent stream, fixed by this stream's seed and the label alone (not by draws made so far). */
  fork(label: string): SeededRandom;
}

/** Source: sfc32 (C. Doty-Humphrey, PractRand), seeded through FNV-1a; good enough for tests, useless for secrets. */
export function createSeededRandom(seed: number | string): SeededRandom {
  const text = String(seed);
  let a = hash32(`${text}/a`);
  let b = hash32(`${text}/b`);
  let c = hash32(`${text}/c`);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 16; round++) next();

  const fraction = (): number => next() / 4_294_967_296;
  const integer = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    integer,
    chance: (probability) => fraction() < probability,
    between: (min, max) => min + fraction() * (max - min),
    pick: (choices) => {
      const choice = choices[integer(choices.length)];
      if (choice === undefined) throw new RangeError("pick needs a non-empty list of defined values");
      return choice;
    },
    bytes: (count) => {
      // Four bytes a draw: the contents of files are drawn here.
      if (count <= smallBytesMax) return fewBytes(count, next);
      const words = new Uint32Array(Math.ceil(count / 4));
      for (let index = 0; index < words.length; index++) words[index] = next();
      return new Uint8Array(words.buffer, 0, count);
    },
    fork: (label) => createSeededRandom(`${text}/${label}`),
  };
}

/** An array that small is cheap as long as nothing else looks at its buffer. */
const smallBytesMax = 64;

function fewBytes(count: number, next: () => number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count;) {
    const word = next();
    for (let shift = 0; shift < 32 && index < count; shift += 8) bytes[index++] = word >>> shift;
  }
  return bytes;
}

/** FNV-1a, 32 bits. */
export function hash32(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** Goes on with an FNV-1a hash by a whole number of up to 53 bits, 32 bits at a time. */
export function mix32(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value >>> 0), 0x01000193);
  return Math.imul(low ^ (Math.floor(value / 4_294_967_296) >>> 0), 0x01000193) >>> 0;
}
