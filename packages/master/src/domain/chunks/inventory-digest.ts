import { inventoryBucketCount } from "./tables.ts";

/** Digests are added modulo 2^48. */
const modulus = 0x1_0000_0000_0000;

/** The bucket of a chunk in an inventory. */
export function bucketOf(chunkId: number): number {
  return chunkId % inventoryBucketCount;
}

/** Adds two digests. */
export function addDigests(left: number, right: number): number {
  return (left + right) % modulus;
}

/** Takes one digest out of a sum. */
export function subtractDigest(sum: number, digest: number): number {
  return (sum - digest + modulus) % modulus;
}

/**
 * First 48 bits of SHA-256(chunk id u64, generation u32, length u32, big-endian). Source: docs/formats/chunk-file.md.
 * Written out here because `evolve` keeps the sums and has no host API; the input is one block, so this is one
 * compression (FIPS 180-4, section 6.2.2).
 */
export function copyDigest(copy: {
  readonly chunkId: number;
  readonly generation: number;
  readonly lengthBytes: number;
}): number {
  const { chunkId, generation, lengthBytes } = copy;
  // Every place of a chunk is noted one after another, with the same digest.
  if (chunkId === latest.chunkId && generation === latest.generation && lengthBytes === latest.lengthBytes)
    return latest.digest;
  const digest = computeDigest(copy);
  latest = { chunkId, generation, lengthBytes, digest };
  return digest;
}

// A function of its inputs alone, so that what was asked before changes no answer.
let latest = { chunkId: -1, generation: 0, lengthBytes: 0, digest: 0 };

function computeDigest(copy: Parameters<typeof copyDigest>[0]): number {
  words.fill(0);
  words[0] = Math.floor(copy.chunkId / 0x1_0000_0000);
  words[1] = copy.chunkId % 0x1_0000_0000;
  words[2] = copy.generation;
  words[3] = copy.lengthBytes;
  words[4] = 0x8000_0000;
  words[15] = 128;
  for (let t = 16; t < 64; t++) {
    const w15 = words[t - 15] ?? 0;
    const w2 = words[t - 2] ?? 0;
    const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
    const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
    words[t] = (words[t - 16] ?? 0) + s0 + (words[t - 7] ?? 0) + s1;
  }
  const [first, second] = compress();
  return first * 0x1_0000 + (second >>> 16);
}

/** The first two words of the hash after one block. */
function compress(): readonly [number, number] {
  let [a, b, c, d, e, f, g, h] = initialState;
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + sum1 + choice + (roundConstants[t] ?? 0) + (words[t] ?? 0)) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + sum0 + majority) | 0;
  }
  return [(a + initialState[0]) >>> 0, (b + initialState[1]) >>> 0];
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

// Scratch of one call; nothing is kept between calls.
const words = new Uint32Array(64);

const initialState: readonly [number, number, number, number, number, number, number, number] = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

const roundConstants = Uint32Array.from([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
