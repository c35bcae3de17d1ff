import { chunkFileName } from "../store/chunk-paths.ts";
import type { HeldChunk, InventoryListener } from "../store/chunk-store.ts";

/** What became of a copy. */
export type DeltaKind = "added" | "trimmed" | "corrupt";

/** Changes of the inventory for one report. */
export interface Deltas {
  readonly added: readonly HeldChunk[];
  /** Added, and told on an earlier stream: nobody has looked at the copy since, so it is no proof against damage. */
  readonly stillHeld: readonly HeldChunk[];
  readonly trimmed: readonly HeldChunk[];
  readonly corrupt: readonly HeldChunk[];
}

interface Delta {
  readonly kind: DeltaKind;
  readonly chunk: HeldChunk;
  /** Report it went out with on the present stream; undefined = not yet. */
  sentSequence: number | undefined;
  /** Went out on an earlier stream. */
  isRepeated: boolean;
}

/** Changes in one report at most; the rest goes with the next. */
const deltasPerReportMax = 20_000;

/**
 * Changes of the inventory that the leader may not have heard of. Of several changes of one copy only the last is kept.
 * A change goes out once a stream and is forgotten when a later report was certainly received; on a new stream all that
 * are left go out again, which is harmless: they say how things are, not what to do.
 */
export class DeltaLog implements InventoryListener {
  readonly #deltas = new Map<string, Delta>();
  #onChange: () => void = () => undefined;

  /** Calls back at every change. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Changes that are kept. */
  get size(): number {
    return this.#deltas.size;
  }

  added(chunk: HeldChunk): void {
    this.#note("added", chunk);
  }

  trimmed(chunk: HeldChunk): void {
    this.#note("trimmed", chunk);
  }

  corrupt(chunk: HeldChunk): void {
    this.#note("corrupt", chunk);
  }

  /** A new stream: its leader knows nothing of what was sent on the last one. */
  startStream(): void {
    for (const delta of this.#deltas.values()) {
      delta.isRepeated ||= delta.sentSequence !== undefined;
      delta.sentSequence = undefined;
    }
  }

  /** What has not gone out on this stream yet; it goes with the report of this sequence. */
  take(sequence: number): Deltas {
    const taken: Record<keyof Deltas, HeldChunk[]> = { added: [], stillHeld: [], trimmed: [], corrupt: [] };
    let takenCount = 0;
    for (const delta of this.#deltas.values()) {
      if (delta.sentSequence !== undefined) continue;
      if (takenCount++ === deltasPerReportMax) break;
      delta.sentSequence = sequence;
      taken[delta.kind === "added" && delta.isRepeated ? "stillHeld" : delta.kind].push(delta.chunk);
    }
    return taken;
  }

  /** The report of this sequence, and so all before it on this stream, was received: forgets what went with them. */
  confirm(sequence: number): void {
    for (const [name, delta] of this.#deltas) {
      if (delta.sentSequence !== undefined && delta.sentSequence <= sequence) this.#deltas.delete(name);
    }
  }

  #note(kind: DeltaKind, chunk: HeldChunk): void {
    const name = chunkFileName(chunk);
    // Deleted first, so that the map stays in order of the last change.
    this.#deltas.delete(name);
    this.#deltas.set(name, { kind, chunk, sentSequence: undefined, isRepeated: false });
    this.#onChange();
  }
}
