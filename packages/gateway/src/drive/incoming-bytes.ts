import { createHash } from "node:crypto";
import { concatBytes, equalBytes, HoldfastError } from "@holdfast/base";

/** The beginning of a stream, and the stream from its beginning on. */
export interface PeekedBytes {
  /** All bytes, when the stream has at most as many as asked for; else undefined. */
  readonly whole: Uint8Array | undefined;
  /** Everything, the peeked bytes first. Read at most once, and only when `whole` is undefined. */
  readonly source: AsyncIterable<Uint8Array>;
}

/** Reads up to `bytesMax` bytes and one chunk more, to learn whether a stream is that small. Closes the stream when it throws. */
export async function peekBytes(source: AsyncIterable<Uint8Array>, bytesMax: number): Promise<PeekedBytes> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let headBytes = 0;
  while (headBytes <= bytesMax) {
    const step = await iterator.next();
    if (step.done === true) {
      const whole = concatBytes(head);
      return { whole, source: once(whole) };
    }
    head.push(step.value);
    headBytes += step.value.length;
  }
  return { whole: undefined, source: continued(head, iterator) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* continued(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}

/** Passes a stream on and refuses it when it grows beyond a length. Errors: tooLarge. */
export async function* atMost(source: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const bytes of source) {
    total += bytes.length;
    if (total > bytesMax)
      throw new HoldfastError("tooLarge", `The body is larger than ${bytesMax} bytes. Nothing of it was stored.`);
    yield bytes;
  }
}

/** SHA-256 of bytes at hand. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Errors: checksumMismatch when the announced hash is not that of the bytes. */
export function requireSha256(announced: Uint8Array | undefined, actual: Uint8Array): void {
  if (announced === undefined || equalBytes(announced, actual)) return;
  throw new HoldfastError(
    "checksumMismatch",
    "The bytes that arrived do not match the checksum that was announced. Nothing was stored. Send them again.",
  );
}

/** Errors: cancelled. A request whose caller is gone changes nothing any more. */
export function requireCaller(signal: AbortSignal): void {
  if (signal.aborted) throw new HoldfastError("cancelled", "The caller ended the request. Nothing was stored.");
}
