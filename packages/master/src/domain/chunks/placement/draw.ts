/** A well-mixed 32-bit number from two integers (finalizer of MurmurHash3, applied twice). Not for secrets. */
export function mix(left: number, right: number): number {
  const high = Math.floor(left / 0x1_0000_0000);
  return finalize(finalize((left >>> 0) ^ Math.imul(high, 0x9e37_79b1)) ^ Math.imul(right | 0, 0x85eb_ca77));
}

/** Key of a weighted draw without replacement: ln(u) / weight; the greatest wins. */
export function drawKey(uniform32: number, weight: number): number {
  return Math.log((uniform32 + 0.5) / 0x1_0000_0000) / weight;
}

function finalize(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
