import { isHoldfastError } from "@holdfast/base";
import { create } from "zustand";
import { explainFailure, isRetryable } from "../../lib/failure.ts";
import { randomFraction, randomHex } from "../../lib/random.ts";
import { drive, fromConnect, reportSignedOut } from "../../lib/rpc.ts";
import { after, delay, every, nowMs } from "../../lib/time.ts";
import type { UploadOffer } from "../../lib/upload-port.ts";
import { showToast } from "../../ui/toast-store.ts";
import { startRate, withSample, type Rate } from "./model/rate.ts";
import type { UploadEffect, UploadItem } from "./model/upload-item.ts";
import { UploadQueue } from "./model/upload-queue.ts";
import { hasUnfinished, summarize, type UploadSummary } from "./model/upload-summary.ts";
import { classifyFailure, sendRequest, type ItemEffect, type RequestOutcome } from "./upload-requests.ts";
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
export const useUploads = create<UploadView>(() => ({
  tick: 0,
  summary: summarize([]),
  rate: startRate(0, 0),
  preparing: undefined,
}));

let queue: UploadQueue | undefined;
let cancelWake: () => void = () => undefined;
let isDirty = false;
const files = new Map<number, File>();
const identities = new Map<number, FileIdentity>();
const stops = new Map<number, AbortController>();

/** The queue; made with the server's part size at the first upload. */
export function uploadQueue(partSizeBytes = 8_388_608): UploadQueue {
  if (queue !== undefined) return queue;
  queue = new UploadQueue(
    { partSizeBytes, requestsMax: requestsMax(), partsPerFileMax: requestsMax() - 1, foldersMax: 4 },
    () => randomHex(),
  );
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
  const chunks =
    offer.entries === undefined
      ? chunkFiles(offer.files ?? [])
      : walkEntries(offer.entries, (name) => unreadable.push(name));
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
  if (unreadable.length > 0)
    showToast(`Could not read ${unreadable.slice(0, 3).join(", ")}${unreadable.length > 3 ? " and others" : ""}`, {
      detail: "Everything else is being uploaded.",
      isError: true,
    });
}

/** Carries out a change of the queue and what follows from it. */
export function changeUploads(change: (queue: UploadQueue) => void): void {
  change(uploadQueue());
  run();
  mirror();
}

function addFile(found: {
  readonly batchId: number;
  readonly parentId: number;
  readonly folderPath: string;
  readonly file: File;
}): void {
  const { file } = found;
  const target = uploadQueue();
  const identity = { parentId: found.parentId, path: found.folderPath, file };
  const recalled = recallUpload(identity);
  const item = target.add(found.batchId, {
    name: file.name.normalize("NFC"),
    folderPath: found.folderPath,
    sizeBytes: file.size,
    ...(recalled === undefined ? {} : { resumedUploadId: recalled }),
  });
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
    return drive.abortUpload({ uploadId: effect.uploadId }).then(
      () => undefined,
      () => undefined,
    ); // It expires by itself.
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
    const part = effect.kind === "putPart" ? effect.part : 0;
    const onProgress = (bytes: number) => {
      uploadQueue().progressed(item.id, part, bytes);
      isDirty = true;
    };
    const outcome = await sendRequest(effect, { file: fileOf(item), signal: stop.signal, onProgress });
    if (!stop.signal.aborted) onOutcome(item, outcome);
  } catch (thrown) {
    if (!stop.signal.aborted) onFailure(effect, thrown);
  }
  run();
}

function onOutcome(item: UploadItem, outcome: RequestOutcome): void {
  const target = uploadQueue();
  if (outcome.kind === "partStored") target.partStored(item.id, outcome.part);
  else if (outcome.kind === "completed") finish(item);
  else {
    target.started(item.id, outcome);
    const identity = identities.get(item.id);
    if (identity !== undefined) rememberUpload(identity, item.uploadId);
  }
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
  target.failed(effect.item.id, classifyFailure(effect, error), { ...part, nowMs: nowMs(), jitter: randomFraction() });
}

async function makeFolder(effect: Extract<UploadEffect, { kind: "makeFolder" }>): Promise<void> {
  const target = uploadQueue();
  const requestId = randomHex();
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await drive.createFolder({
        requestId,
        parentId: BigInt(effect.parentId),
        name: effect.name,
        keepExisting: true,
      });
      target.folderMade(effect.batchId, effect.path, Number(answer.entry?.entryId ?? 0n));
      break;
    } catch (thrown) {
      if (attempt < 5 && isRetryable(thrown)) {
        await delay(1000 * 2 ** attempt * (0.75 + randomFraction() / 2));
        continue;
      }
      const { title, advice } = explainFailure(thrown);
      target.folderRefused(
        effect.batchId,
        effect.path,
        `The folder “${effect.name}” could not be made. ${title}. ${advice}`,
      );
      break;
    }
  }
  run();
}

function fileOf(item: UploadItem): File {
  return files.get(item.id) ?? new File([], item.name);
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
