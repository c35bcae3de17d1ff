import { isFinished, sentBytes, type UploadItem, type UploadStatus } from "./upload-item.ts";

/** The whole queue in a few numbers. */
export interface UploadSummary {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly asking: number;
  readonly paused: number;
  /** Not finished, failed, asking or paused: it goes on by itself. */
  readonly moving: number;
  readonly totalBytes: number;
  readonly sentBytes: number;
}

const order: Readonly<Record<UploadStatus, number>> = {
  uploading: 0,
  finishing: 0,
  retrying: 1,
  failed: 2,
  asking: 2,
  paused: 3,
  waiting: 4,
  done: 5,
  skipped: 5,
  cancelled: 5,
};

/** Numbers of all items. Cancelled and skipped ones do not count. */
export function summarize(items: Iterable<UploadItem>): UploadSummary {
  const summary = { total: 0, done: 0, failed: 0, asking: 0, paused: 0, moving: 0, totalBytes: 0, sentBytes: 0 };
  for (const item of items) {
    if (item.status === "cancelled" || item.status === "skipped") continue;
    summary.total += 1;
    summary.totalBytes += item.sizeBytes;
    summary.sentBytes += sentBytes(item);
    if (item.status === "done") summary.done += 1;
    else if (item.status === "failed") summary.failed += 1;
    else if (item.status === "asking") summary.asking += 1;
    else if (item.status === "paused") summary.paused += 1;
    else summary.moving += 1;
  }
  return summary;
}

/** Ids as the panel shows them: active, failed, queued, done; within one group the oldest first, done ones the newest first. */
export function inPanelOrder(items: Iterable<UploadItem>): number[] {
  const groups: number[][] = [[], [], [], [], [], []];
  for (const item of items) if (item.status !== "cancelled") groups[order[item.status]]?.push(item.id);
  groups[5]?.reverse();
  return groups.flat();
}

/** Whether closing the page would lose work. */
export function hasUnfinished(items: Iterable<UploadItem>): boolean {
  for (const item of items) if (!isFinished(item) && item.status !== "failed") return true;
  return false;
}
