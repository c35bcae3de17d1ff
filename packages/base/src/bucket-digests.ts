/** Buckets of an inventory, by chunk id. */
const bucketCount = 256;

/** A digest is below 2^48. */
const digestBytes = 6;

/** Digests of all buckets of an inventory, in their order, as a report carries them: 6 bytes each, big-endian. */
export function encodeBucketDigests(digests: ArrayLike<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(bucketCount * digestBytes));
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const digest = digests[bucket] ?? 0;
    view.setUint16(bucket * digestBytes, Math.floor(digest / 2 ** 32));
    view.setUint32(bucket * digestBytes + 2, digest % 2 ** 32);
  }
  return new Uint8Array(view.buffer);
}

/** What `encodeBucketDigests` wrote; undefined for bytes of another length. */
export function decodeBucketDigests(bytes: Uint8Array): readonly number[] | undefined {
  if (bytes.length !== bucketCount * digestBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const digestAt = (position: number): number => view.getUint16(position) * 2 ** 32 + view.getUint32(position + 2);
  return Array.from({ length: bucketCount }, (_, bucket) => digestAt(bucket * digestBytes));
}
