/** What happens when the name is taken. "ask" sends nothing over anything and asks the person. */
export type ConflictChoice = "ask" | "keepBoth" | "replace" | "skip";

/** Where an upload stands. `asking` waits for the person, `retrying` for time, `paused` and `failed` for a click. */
export type UploadStatus =
  | "waiting"
  | "uploading"
  | "finishing"
  | "retrying"
  | "paused"
  | "asking"
  | "failed"
  | "done"
  | "skipped"
  | "cancelled";

/** One file on its way. Owned and changed by the queue only; others read. */
export interface UploadItem {
  readonly id: number;
  readonly batchId: number;
  readonly name: string;
  /** Folder inside the batch, "" for the batch's own; "a/b" below it. */
  readonly folderPath: string;
  readonly sizeBytes: number;
  /** 32 hex digits; the request id of a small file, the upload id of a large one. */
  uploadId: string;
  /** Whether an earlier page began it: what is stored is asked for first. */
  isResumed: boolean;
  status: UploadStatus;
  choice: ConflictChoice;
  /** Failures since the last progress. */
  attempt: number;
  retryAtMs: number;
  /** Why it failed, in words. */
  problem: string;
  /** Large files: set once the upload was begun. */
  parts: UploadParts | undefined;
  /** Bytes on their way and not yet acknowledged, by part (0 for a small file). */
  readonly inFlight: Map<number, number>;
  /** Bytes that are durable. */
  storedBytes: number;
}

/** What a large file is cut into. */
export interface UploadParts {
  readonly partSizeBytes: number;
  readonly count: number;
  readonly stored: Set<number>;
  /** Smallest part that was never sent; parts that failed are in `again`. */
  next: number;
  readonly again: number[];
}

/** What a file needs to be queued. */
export interface NewUpload {
  readonly name: string;
  readonly folderPath: string;
  readonly sizeBytes: number;
  /** The upload that an earlier page began for the same file, if there is one. */
  readonly resumedUploadId?: string;
}

/** A queued item. */
export function makeItem(
  id: number,
  batchId: number,
  upload: NewUpload & { readonly uploadId: string; readonly choice: ConflictChoice },
): UploadItem {
  return {
    id,
    batchId,
    name: upload.name,
    folderPath: upload.folderPath,
    sizeBytes: upload.sizeBytes,
    uploadId: upload.uploadId,
    isResumed: upload.resumedUploadId !== undefined,
    status: "waiting",
    choice: upload.choice,
    attempt: 0,
    retryAtMs: 0,
    problem: "",
    parts: undefined,
    inFlight: new Map(),
    storedBytes: 0,
  };
}

/** What the shell must do next. Every effect is answered by exactly one input, unless it was stopped. */
export type UploadEffect =
  | {
      readonly kind: "makeFolder";
      readonly batchId: number;
      readonly path: string;
      readonly parentId: number;
      readonly name: string;
    }
  | { readonly kind: "putWhole"; readonly item: UploadItem; readonly parentId: number }
  | { readonly kind: "look"; readonly item: UploadItem }
  | { readonly kind: "start"; readonly item: UploadItem; readonly parentId: number }
  | {
      readonly kind: "putPart";
      readonly item: UploadItem;
      readonly part: number;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
    }
  | { readonly kind: "commit"; readonly item: UploadItem }
  /** Stops what is in flight; nothing of it is answered. */
  | { readonly kind: "stop"; readonly item: UploadItem }
  /** Tells the server to forget a large upload. */
  | { readonly kind: "abort"; readonly uploadId: string };

/** Bytes of an item that are durable or on their way, at most its size. */
export function sentBytes(item: UploadItem): number {
  let bytes = item.storedBytes;
  for (const flying of item.inFlight.values()) bytes += flying;
  return Math.min(bytes, item.sizeBytes);
}

/** Whether nothing more will happen to it by itself or by a click. */
export function isFinished(item: UploadItem): boolean {
  return item.status === "done" || item.status === "skipped" || item.status === "cancelled";
}
