import { assert, must } from "@holdfast/base";
import {
  addFolder,
  folderFailed,
  folderReady,
  holdUntilReady,
  makeBatch,
  reviveFolder,
  takeCreatable,
  type UploadBatch,
} from "./upload-folders.ts";
import {
  isFinished,
  makeItem,
  type ConflictChoice,
  type NewUpload,
  type UploadEffect,
  type UploadItem,
  type UploadStatus,
} from "./upload-item.ts";
import { cutIntoParts, partLength, storedLength, takeNextPart } from "./upload-parts.ts";

/** Limits of the queue. */
export interface UploadLimits {
  /** Files up to this size go in one request; larger ones in parts of the size the server says. */
  readonly partSizeBytes: number;
  readonly requestsMax: number;
  readonly partsPerFileMax: number;
  readonly foldersMax: number;
}

/** How a request failed. */
export interface UploadFailure {
  readonly kind: "retryable" | "nameTaken" | "lost" | "fatal";
  readonly message: string;
}

const retryDelaysMs = [1000, 2000, 4000, 8000, 16_000];

/**
 * The upload engine's decisions: what is sent next, what a failure means, when to try again. Synchronous and free of I/O: inputs come
 * in by method, `drain` says what to do, time and jitter are given. Changes items in place, so 10,000 of them cost nothing to watch.
 */
export class UploadQueue {
  readonly items = new Map<number, UploadItem>();
  readonly batches = new Map<number, UploadBatch>();
  readonly #limits: UploadLimits;
  readonly #freshId: () => string;
  readonly #effects: UploadEffect[] = [];
  readonly #ready: number[] = [];
  readonly #active = new Set<number>();
  readonly #retrying = new Set<number>();
  readonly #choices = new Map<number, ConflictChoice>();
  #requests = 0;
  #foldersInFlight = 0;
  #nextId = 1;

  /** `freshId` gives 32 random hex digits: a request that was refused is never repeated under its old id. */
  constructor(limits: UploadLimits, freshId: () => string) {
    this.#limits = limits;
    this.#freshId = freshId;
  }

  /** Begins a batch: files and folders are then added as they are found. */
  openBatch(target: { readonly parentId: number; readonly folderName: string }): number {
    const batchId = this.#nextId++;
    this.batches.set(batchId, makeBatch(batchId, target));
    return batchId;
  }

  /** Adds a folder even if nothing is in it. */
  addFolder(batchId: number, path: string): void {
    addFolder(this.#batch(batchId), path);
  }

  /** Queues a file. */
  add(batchId: number, upload: NewUpload): UploadItem {
    const uploadId = upload.resumedUploadId ?? this.#freshId();
    const item = makeItem(this.#nextId++, batchId, {
      ...upload,
      uploadId,
      choice: this.#choices.get(batchId) ?? "ask",
    });
    this.items.set(item.id, item);
    this.#enqueue(item);
    return item;
  }

  /** Whether an item goes in parts, and so can be continued after a reload. */
  isInParts(item: UploadItem): boolean {
    return item.sizeBytes > this.#limits.partSizeBytes;
  }

  /** What to do now. Call after every input and at `nextWakeMs`. */
  drain(nowMs: number): UploadEffect[] {
    for (const id of this.#retrying) {
      const item = this.#item(id);
      if (item.retryAtMs > nowMs) continue;
      this.#retrying.delete(id);
      this.#enqueue(item, "first");
    }
    this.#planFolders();
    while (this.#requests < this.#limits.requestsMax && this.#planOne());
    return this.#effects.splice(0);
  }

  /** When `drain` has something to do without an input, or undefined. */
  nextWakeMs(): number | undefined {
    const times = [...this.#retrying].map((id) => this.#item(id).retryAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  folderMade(batchId: number, path: string, entryId: number): void {
    this.#foldersInFlight -= 1;
    for (const id of folderReady(this.#batch(batchId), path, entryId)) this.#ready.push(id);
  }

  folderRefused(batchId: number, path: string, message: string): void {
    this.#foldersInFlight -= 1;
    for (const id of folderFailed(this.#batch(batchId), path)) this.#fail(this.#item(id), message);
  }

  /** Bytes of a request in flight that have left. */
  progressed(id: number, part: number, bytes: number): void {
    const item = this.#item(id);
    if (item.inFlight.has(part)) item.inFlight.set(part, bytes);
  }

  /** The server began the upload and says the part size; `storedParts` are what it has already. */
  started(id: number, answer: { readonly partSizeBytes: number; readonly storedParts?: readonly number[] }): void {
    const item = this.#settle(id);
    item.parts = cutIntoParts(item, answer);
    item.attempt = 0;
    item.storedBytes = storedLength(item, item.parts);
  }

  partStored(id: number, part: number): void {
    const item = this.#settle(id, part);
    item.attempt = 0;
    if (item.parts === undefined) return;
    item.parts.stored.add(part);
    item.storedBytes = storedLength(item, item.parts);
  }

  /** A small file was stored, or a large one was committed. */
  completed(id: number): void {
    const item = this.#settle(id);
    item.storedBytes = item.sizeBytes;
    this.#leave(item, "done");
  }

  /** A request of an item failed. `jitter` is in [0, 1). */
  failed(
    id: number,
    failure: UploadFailure,
    at: { readonly part?: number; readonly nowMs: number; readonly jitter: number },
  ): void {
    const item = this.#settle(id, at.part);
    if (at.part !== undefined && item.parts?.stored.has(at.part) === false) item.parts.again.push(at.part);
    if (failure.kind === "nameTaken") return this.#leave(item, item.choice === "skip" ? "skipped" : "asking");
    if (failure.kind === "lost") this.#restart(item);
    if (item.status === "retrying" && failure.kind === "retryable") return;
    const delayMs = retryDelaysMs[item.attempt];
    if (failure.kind === "fatal" || delayMs === undefined) return this.#fail(item, failure.message);
    item.attempt += 1;
    item.retryAtMs = at.nowMs + delayMs * (0.75 + at.jitter / 2);
    item.problem = failure.message;
    this.#leave(item, "retrying");
    this.#retrying.add(id);
  }

  /** The person decided about taken names. */
  choose(ids: readonly number[], choice: "keepBoth" | "replace" | "skip", isForRest: boolean): void {
    for (const id of ids) {
      const item = this.#item(id);
      if (item.status !== "asking") continue;
      if (isForRest) this.#choices.set(item.batchId, choice);
      item.choice = choice;
      if (item.parts !== undefined) this.#effects.push({ kind: "abort", uploadId: item.uploadId });
      this.#restart(item);
      if (choice === "skip") this.#leave(item, "skipped");
      else this.#enqueue(item, "first");
    }
    if (!isForRest) return;
    for (const item of this.items.values())
      if (item.choice === "ask" && this.#choices.has(item.batchId) && !isFinished(item)) item.choice = choice;
  }

  pause(id: number): void {
    const item = this.#item(id);
    if (item.status !== "waiting" && item.status !== "uploading" && item.status !== "retrying") return;
    this.#leave(item, "paused");
  }

  /** Goes on with a paused or failed item, with what is stored kept. */
  resume(id: number): void {
    const item = this.#item(id);
    if (item.status !== "paused" && item.status !== "failed") return;
    item.attempt = 0;
    item.problem = "";
    reviveFolder(this.#batch(item.batchId), item.folderPath);
    this.#enqueue(item, "first");
  }

  cancel(id: number): void {
    const item = this.#item(id);
    if (isFinished(item)) return;
    if (item.parts !== undefined || item.isResumed) this.#effects.push({ kind: "abort", uploadId: item.uploadId });
    this.#leave(item, "cancelled");
  }

  /** Takes finished items off the list. */
  clearFinished(): void {
    for (const item of this.items.values()) if (isFinished(item)) this.items.delete(item.id);
  }

  #planFolders(): void {
    for (const batch of this.batches.values()) {
      while (this.#foldersInFlight < this.#limits.foldersMax) {
        const folder = takeCreatable(batch);
        if (folder === undefined) break;
        this.#foldersInFlight += 1;
        this.#effects.push({ kind: "makeFolder", batchId: batch.batchId, ...folder });
      }
    }
  }

  /** Plans one request; answers whether there was one to plan. */
  #planOne(): boolean {
    for (const id of this.#active) if (this.#planPart(this.#item(id))) return true;
    for (let id = this.#ready.shift(); id !== undefined; id = this.#ready.shift()) {
      const item = this.items.get(id);
      if (item?.status === "waiting" && this.#begin(item)) return true;
    }
    return false;
  }

  /** Makes an item active; answers whether that took a request. */
  #begin(item: UploadItem): boolean {
    item.status = "uploading";
    this.#active.add(item.id);
    if (item.parts !== undefined) return this.#planPart(item);
    const folder = this.#batch(item.batchId).folders.get(item.folderPath);
    const parentId = must(folder, "a queued item's folder is ready").entryId;
    this.#requests += 1;
    item.inFlight.set(0, 0);
    if (item.isResumed && item.parts === undefined) this.#effects.push({ kind: "look", item });
    else if (!this.isInParts(item)) this.#effects.push({ kind: "putWhole", item, parentId });
    else this.#effects.push({ kind: "start", item, parentId });
    return true;
  }

  #planPart(item: UploadItem): boolean {
    const { parts } = item;
    if (parts === undefined || item.status !== "uploading" || item.inFlight.size >= this.#limits.partsPerFileMax)
      return false;
    const part = takeNextPart(parts);
    if (part !== undefined) {
      this.#requests += 1;
      item.inFlight.set(part, 0);
      this.#effects.push({
        kind: "putPart",
        item,
        part,
        offsetBytes: part * parts.partSizeBytes,
        lengthBytes: partLength(item, parts, part),
      });
      return true;
    }
    if (item.inFlight.size > 0 || parts.stored.size < parts.count) return false;
    item.status = "finishing";
    this.#requests += 1;
    item.inFlight.set(0, 0);
    this.#effects.push({ kind: "commit", item });
    return true;
  }

  /** A request of the item came back. */
  #settle(id: number, part = 0): UploadItem {
    const item = this.#item(id);
    if (item.inFlight.delete(part)) this.#requests -= 1;
    assert(this.#requests >= 0, "no request comes back twice");
    return item;
  }

  /** Begins anew under a fresh id, with nothing stored. */
  #restart(item: UploadItem): void {
    this.#interrupt(item);
    item.uploadId = this.#freshId();
    item.isResumed = false;
    item.parts = undefined;
    item.storedBytes = 0;
  }

  #interrupt(item: UploadItem): void {
    if (item.inFlight.size === 0) return;
    this.#requests -= item.inFlight.size;
    if (item.parts !== undefined)
      item.parts.again.push(...[...item.inFlight.keys()].filter((part) => item.parts?.stored.has(part) === false));
    item.inFlight.clear();
    this.#effects.push({ kind: "stop", item });
  }

  #leave(item: UploadItem, status: UploadStatus): void {
    if (status !== "retrying") this.#interrupt(item);
    item.status = status;
    this.#active.delete(item.id);
    this.#retrying.delete(item.id);
  }

  #fail(item: UploadItem, message: string): void {
    this.#leave(item, "failed");
    item.problem = message;
  }

  #enqueue(item: UploadItem, place: "first" | "last" = "last"): void {
    item.status = "waiting";
    this.#retrying.delete(item.id);
    const hold = holdUntilReady(this.#batch(item.batchId), item.folderPath, item.id);
    if (hold === "failed") this.#fail(item, "Its folder could not be made.");
    else if (hold === "ready" && place === "first") this.#ready.unshift(item.id);
    else if (hold === "ready") this.#ready.push(item.id);
  }

  #item(id: number): UploadItem {
    return must(this.items.get(id), "an item is known until it is cleared");
  }

  #batch(batchId: number): UploadBatch {
    return must(this.batches.get(batchId), "a batch is kept");
  }
}
