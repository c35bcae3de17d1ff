import { linkAbort } from "@holdfast/runtime";
import type { FileBytes, RequestScope, WrittenBytes } from "./ports.ts";
import type { SegmentedSource } from "./segmented-source.ts";

/** What is done with each segment once it is durable. Segments come in order of their beginning, not of their end. */
export type OnSegment = (segment: {
  readonly number: number;
  readonly isOnly: boolean;
  readonly written: WrittenBytes;
}) => Promise<void>;

/**
 * Writes a stream segment by segment. While the last chunks of one segment become durable the next one is read already,
 * so that cutting costs no pause; never more than two are under way. The first failure ends everything.
 */
export async function writeSegments(
  parts: { readonly bytes: FileBytes; readonly source: SegmentedSource; readonly onSegment: OnSegment },
  scope: RequestScope,
): Promise<void> {
  const { bytes, source, onSegment } = parts;
  const stop = linkAbort(scope.signal);
  const inner: RequestScope = { ...scope, signal: stop.signal };
  let failure: { readonly thrown: unknown } | undefined;
  const run = async (number: number, segment: AsyncIterable<Uint8Array>): Promise<void> => {
    try {
      const written = await bytes.write(segment, inner);
      await onSegment({ number, isOnly: number === 0 && source.isExhausted, written });
    } catch (thrown) {
      failure ??= { thrown };
      stop.abort();
    }
  };
  let draining: Promise<void> = Promise.resolve();
  for (let number = 0; failure === undefined; number++) {
    const segment = source.next();
    const running = run(number, segment.source);
    await Promise.race([segment.ended, running]);
    await draining;
    draining = running;
    if (source.isExhausted) break;
  }
  await draining;
  stop.release();
  if (failure === undefined) return;
  await source.close();
  throw failure.thrown;
}
