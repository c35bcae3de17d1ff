import { isHoldfastError } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { create } from "zustand";
import { explainFailure, isRetryable } from "../../lib/failure.ts";
import { randomFraction, randomHex } from "../../lib/random.ts";
import { drive, fromConnect, reportSignedOut } from "../../lib/rpc.ts";
import { after, delay, every, nowMs } from "../../lib/time.ts";
import type { UploadOffer } from "../../lib/upload-port.ts";
import { showToast } from "../../ui/toast-store.ts";
import { startRate, withSample, type Rate } from "./model/rate.ts";
import type { UploadEffect, UploadItem } from "./model/upload-item.ts";
import { UploadQueue, type UploadFailure } from "./model/upload-queue.ts";
import { hasUnfinished, summarize, type UploadSummary } from "./model/upload-summary.ts";
import { putBytes, sha256Of } from "./put-bytes.ts";
import { forgetUpload, recallUpload, rememberUpload, type FileIdentity } from "./upload-memory.ts";
import { chunkFiles, walkEntries } from "./walk-drop.ts";

interface UploadView {
  /** Grows four times a second while something changes. */
  readonly tick: number;
  readonly summary: UploadSummary;
  readonly rate: Rate;
  /** Files found so far while a drop is being walked, else undefined. */
  readonly preparing: number | undefined;
}

const mirrorMs = 250;

/** What the panel shows; a mirror of the queue. */
export const useUploads = create<UploadView>(() => ({ tick: 0, summary: summarize([]), rate: startRate(0, 0), preparing: undefined }));

let queue: UploadQueue | undefined;
let cancelWake: () => void = () => undefined;
let isDirty = false;
const files = new Map<number, File>();
const identities = new Map<number, FileIdentity>();
const stops = new Map<number, AbortController>();

/** The queue; made with the server's part size at the first upload. */
export function uploadQueue(partSizeBytes = 8_388_608): UploadQueue {
  if (queue !== undefined) return queue;
  queue = new UploadQueue({ partSizeBytes, requestsMax: requestsMax(), partsPerFileMax: requestsMax() - 1, foldersMax: 4 }, () => randomHex());
  every(mirrorMs, mirror);
  addEventListener("beforeunload", (event) => {
    if (hasUnfinished(queue?.items.values() ?? [])) event.preventDefault();
  });
  return queue;
}

/** Takes what was dropped or chosen and uploads it. Resolves when everything is queued. */
export async function takeOffer(offer: UploadOffer, partSizeBytes: number): Promise<void> {
  const target = uploadQueue(partSizeBytes);
  const batchId = target.openBatch(offer);
  const unreadable: string[] = [];
  const chunks = offer.entries === undefined ? chunkFiles(offer.files ?? []) : walkEntries(offer.entries, (name) => unreadable.push(name));
  let found = 0;
  for await (const chunk of chunks) {
    for (const path of chunk.folders) target.addFolder(batchId, path);
    for (const { folderPath, file } of chunk.files) addFile({ batchId, parentId: offer.parentId, folderPath, file });
    found += chunk.files.length;
    useUploads.setState({ preparing: found });
    run();
    await delay(0);
  }
  useUploads.setState({ preparing: undefined });
  mirror();
  if (unreadable.length > 0) showToast(`Could not read ${unreadable.slice(0, 3).join(", ")}${unreadable.length > 3 ? " and others" : ""}`, { detail: "Everything else is being uploaded.", isError: true });
}

/** Carries out a change of the queue and what follows from it. */
export function changeUploads(change: (queue: UploadQueue) => void): void {
  change(uploadQueue());
  run();
  mirror();
}

function addFile(found: { readonly batchId: number; readonly parentId: number; readonly folderPath: string; readonly file: File }): void {
  const { file } = found;
  const target = uploadQueue();
  const identity = { parentId: found.parentId, path: found.folderPath, file };
  const recalled = recallUpload(identity);
  const item = target.add(found.batchId, { name: file.name.normalize("NFC"), folderPath: found.folderPath, sizeBytes: file.size, ...(recalled === undefined ? {} : { resumedUploadId: recalled }) });
  files.set(item.id, file);
  if (target.isInParts(item)) identities.set(item.id, identity);
}

/** Executes what the queue asks for until it asks for nothing. */
function run(): void {
  const target = uploadQueue();
  isDirty = true;
  for (const effect of target.drain(nowMs())) void execute(effect);
  cancelWake();
  const wakeMs = target.nextWakeMs();
  if (wakeMs !== undefined) cancelWake = after(Math.max(10, wakeMs - nowMs()), run);
}

async function execute(effect: UploadEffect): Promise<void> {
  if (effect.kind === "makeFolder") return makeFolder(effect);
  if (effect.kind === "abort") {
    forgetUpload(effect.uploadId);
    return drive.abortUpload({ uploadId: effect.uploadId }).then(() => undefined, () => undefined); // It expires by itself.
  }
  const { item } = effect;
  if (effect.kind === "stop") {
    stops.get(item.id)?.abort();
    stops.delete(item.id);
    return;
  }
  const stop = stops.get(item.id) ?? new AbortController();
  stops.set(item.id, stop);
  try {
    await request(effect, stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) onFailure(effect, thrown);
  }
  run();
}

type ItemEffect = Exclude<UploadEffect, { kind: "makeFolder" | "abort" | "stop" }>;

async function request(effect: ItemEffect, signal: AbortSignal): Promise<void> {
  const { item } = effect;
  const target = uploadQueue();
  const unlessStopped = (action: () => void) => {
    if (!signal.aborted) action();
  };
  if (effect.kind === "putWhole") {
    const query = new URLSearchParams({ parent: String(effect.parentId), name: item.name, conflict: conflictWord(item) });
    await putPart(`/api/v1/files?${query.toString()}`, { item, part: 0, body: fileOf(item), signal, headers: { "Idempotency-Key": item.uploadId } });
    unlessStopped(() => finish(item));
  } else if (effect.kind === "putPart") {
    const body = fileOf(item).slice(effect.offsetBytes, effect.offsetBytes + effect.lengthBytes);
    await putPart(`/api/v1/uploads/${item.uploadId}/parts/${effect.part}`, { item, part: effect.part, body, signal, headers: {} });
    unlessStopped(() => target.partStored(item.id, effect.part));
  } else if (effect.kind === "start") {
    const answer = await drive.startUpload({ uploadId: item.uploadId, parentId: BigInt(effect.parentId), name: item.name, sizeBytes: BigInt(item.sizeBytes), conflict: conflictPolicy(item) }, { signal });
    unlessStopped(() => target.started(item.id, { partSizeBytes: answer.partSizeBytes }));
    const identity = identities.get(item.id);
    if (identity !== undefined) rememberUpload(identity, item.uploadId);
  } else if (effect.kind === "look") {
    const { upload } = await drive.getUpload({ uploadId: item.uploadId }, { signal });
    unlessStopped(() => target.started(item.id, { partSizeBytes: upload?.partSizeBytes ?? 0, storedParts: upload?.parts.map((part) => part.part) ?? [] }));
  } else {
    await drive.commitUpload({ uploadId: item.uploadId, sizeBytes: BigInt(item.sizeBytes) }, { signal, timeoutMs: 60_000 });
    unlessStopped(() => finish(item));
  }
}

async function putPart(url: string, what: { readonly item: UploadItem; readonly part: number; readonly body: Blob; readonly signal: AbortSignal; readonly headers: Readonly<Record<string, string>> }): Promise<void> {
  const sha256 = await sha256Of(what.body);
  const headers = { "Content-Type": "application/octet-stream", ...what.headers, ...(sha256 === undefined ? {} : { "X-Content-SHA256": sha256 }) };
  const onProgress = (bytes: number) => {
    uploadQueue().progressed(what.item.id, what.part, bytes);
    isDirty = true;
  };
  await putBytes(url, what.body, { headers, signal: what.signal, onProgress });
}

function finish(item: UploadItem): void {
  uploadQueue().completed(item.id);
  files.delete(item.id);
  identities.delete(item.id);
  stops.delete(item.id);
  forgetUpload(item.uploadId);
}

function onFailure(effect: ItemEffect, thrown: unknown): void {
  const target = uploadQueue();
  const error = isHoldfastError(thrown) ? thrown : fromConnect(thrown);
  if (error.kind === "unauthenticated") {
    for (const item of target.items.values()) target.pause(item.id);
    reportSignedOut();
    return;
  }
  const part = effect.kind === "putPart" ? { part: effect.part } : {};
  target.failed(effect.item.id, classify(effect, error), { ...part, nowMs: nowMs(), jitter: randomFraction() });
}

function classify(effect: ItemEffect, error: unknown): UploadFailure {
  const { title, advice } = explainFailure(error);
  const message = `${title.replace(/\.$/, "")}. ${advice}`;
  if (isHoldfastError(error, "nameTaken")) return { kind: "nameTaken", message };
  const isInUpload = effect.kind === "look" || effect.kind === "putPart" || effect.kind === "commit";
  if (isInUpload && isHoldfastError(error, "notFound")) return { kind: "lost", message };
  return { kind: isRetryable(error) ? "retryable" : "fatal", message };
}

async function makeFolder(effect: Extract<UploadEffect, { kind: "makeFolder" }>): Promise<void> {
  const target = uploadQueue();
  const requestId = randomHex();
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await drive.createFolder({ requestId, parentId: BigInt(effect.parentId), name: effect.name, keepExisting: true });
      target.folderMade(effect.batchId, effect.path, Number(answer.entry?.entryId ?? 0n));
      break;
    } catch (thrown) {
      if (attempt < 5 && isRetryable(thrown)) {
        await delay(1000 * 2 ** attempt * (0.75 + randomFraction() / 2));
        continue;
      }
      const { title, advice } = explainFailure(thrown);
      target.folderRefused(effect.batchId, effect.path, `The folder “${effect.name}” could not be made. ${title}. ${advice}`);
      break;
    }
  }
  run();
}

function fileOf(item: UploadItem): File {
  return files.get(item.id) ?? new File([], item.name);
}

function conflictWord(item: UploadItem): string {
  return item.choice === "keepBoth" ? "keepBoth" : item.choice === "replace" ? "replace" : "fail";
}

function conflictPolicy(item: UploadItem): ConflictPolicy {
  return item.choice === "keepBoth" ? ConflictPolicy.KEEP_BOTH : item.choice === "replace" ? ConflictPolicy.REPLACE : ConflictPolicy.FAIL;
}

/** One request is always left for the next file, so that a large one does not hold up the small. A browser opens six connections per host over HTTP/1.1; the change feed and clicks need theirs too. */
function requestsMax(): number {
  const [navigation] = performance.getEntriesByType("navigation");
  const protocol = navigation instanceof PerformanceNavigationTiming ? navigation.nextHopProtocol : "";
  return protocol === "h2" || protocol === "h3" ? 6 : 4;
}

function mirror(): void {
  if (!isDirty || queue === undefined) return;
  const summary = summarize(queue.items.values());
  isDirty = summary.moving > 0;
  useUploads.setState((view) => {
    const isFirst = view.summary.moving === 0 && summary.moving > 0;
    const rate = isFirst ? startRate(summary.sentBytes, nowMs()) : withSample(view.rate, summary.sentBytes, nowMs());
    return { tick: view.tick + 1, summary, rate };
  });
}
