import type { SeededRandom } from "@holdfast/runtime/sim";

/** What one world is like before anything goes wrong. Every seed draws its own. */
export interface WorldShape {
  readonly masterCount: number;
  /** Nodes that are there from the start. */
  readonly nodeCount: number;
  /** Nodes that may be added later. */
  readonly spareNodeCount: number;
  readonly gatewayCount: number;
  readonly clientCount: number;
  readonly chunkSizeBytes: number;
  /** How long things go wrong, in ms. */
  readonly faultSpanMs: number;
  /** Longest pause of a client between two steps. */
  readonly pauseMsMax: number;
  /** Slowest one-way delay of a message. */
  readonly delayMsMax: number;
  /** Probability per message that its connection breaks. */
  readonly breakProbability: number;
  /** Bytes per ms that a machine's line takes. */
  readonly lineBytesPerMs: number;
  /** Ms that a disk needs for a MiB. */
  readonly diskMsPerMiB: number;
  /** Clocks run at most this much too fast or too slow. */
  readonly clockDriftMax: number;
  /** A node dies for good at the end. */
  readonly losesNode: boolean;
}

const kibibyte = 1024;

interface WorldLength extends Pick<WorldShape, "clientCount"> {
  readonly faultSpanMs: readonly [min: number, max: number];
  readonly pauseMsMax: readonly [min: number, max: number];
}

/**
 * Steps and time are what a seed costs most of. Most defects need one fault at the right moment of a short history, so
 * most worlds are short; those that need a long one (a log that is compacted, a clock that drifts) get a few long worlds.
 */
function drawLength(random: SeededRandom): WorldLength {
  const choice = random.fraction();
  if (choice < 0.65) return { clientCount: 2, faultSpanMs: [700, 2_200], pauseMsMax: [100, 700] };
  if (choice < 0.94) return { clientCount: 2, faultSpanMs: [2_000, 4_500], pauseMsMax: [150, 900] };
  return { clientCount: 3, faultSpanMs: [6_000, 12_000], pauseMsMax: [60, 300] };
}

/**
 * Draws a world. Chunks are small, so that a seed writes hundreds of them for the price of one; every tenth world has
 * chunks of more than one checksum block.
 */
export function drawShape(random: SeededRandom): WorldShape {
  const length = drawLength(random);
  return {
    masterCount: random.chance(0.04) ? 5 : 3,
    nodeCount: 4 + random.integer(2),
    spareNodeCount: 1,
    gatewayCount: random.chance(0.5) ? 2 : 1,
    clientCount: length.clientCount,
    chunkSizeBytes: random.chance(0.1) ? 72 * kibibyte : 8 * kibibyte,
    faultSpanMs: random.between(...length.faultSpanMs),
    pauseMsMax: random.between(...length.pauseMsMax),
    delayMsMax: random.chance(0.25) ? random.between(1, 40) : 0.5,
    breakProbability: random.chance(0.3) ? random.between(0.000_1, 0.003) : 0,
    lineBytesPerMs: random.chance(0.3) ? random.between(500, 5_000) : 100_000,
    diskMsPerMiB: random.chance(0.3) ? random.between(50, 1_000) : 2,
    clockDriftMax: random.chance(0.3) ? random.between(0.000_1, 0.03) : 0,
    losesNode: random.chance(0.12),
  };
}
