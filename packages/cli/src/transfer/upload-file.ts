import { createHash, randomBytes } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { HoldfastError } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { FileProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { forEachConcurrently } from "./concurrency.ts";
import { readAll, sendBytes } from "./http-bytes.ts";
import { withRetries } from "./retry.ts";

/** Files up to this size go in one request. */
const singleRequestMaxBytes = 8 * 1024 * 1024;
const partsInFlightMax = 4;

/** What to upload to where. */
export interface UploadTarget {
  readonly parentId: bigint;
  readonly name: string;
  readonly conflict: "replace" | "fail";
  readonly signal?: AbortSignal;
}

/** Uploads a local file; whole when small, else in parts that survive the loss of a gateway or master. */
export async function uploadFile(
  session: Session,
  localPath: string,
  target: UploadTarget & { readonly progress: FileProgress },
): Promise<void> {
  const file = await open(localPath, "r");
  try {
    const { size } = await file.stat();
    if (size <= singleRequestMaxBytes) {
      const bytes = await readFully(file, 0, size);
      await putWhole(session, bytes, target);
      target.progress.add(size);
    } else {
      await uploadInParts(session, file, size, target);
    }
    target.progress.done();
  } finally {
    await file.close();
  }
}

async function putWhole(session: Session, bytes: Uint8Array, target: UploadTarget): Promise<void> {
  const query = new URLSearchParams({ parent: String(target.parentId), name: target.name, conflict: target.conflict });
  const headers = {
    "X-Content-SHA256": createHash("sha256").update(bytes).digest("hex"),
    "Idempotency-Key": randomBytes(16).toString("hex"),
  };
  await withRetries(async () => {
    const response = await sendBytes(session.profile, {
      method: "PUT",
      path: `/api/v1/files?${query}`,
      headers,
      body: bytes,
      ...signalOf(target),
    });
    await readAll(response);
  }, target.signal);
}

async function uploadInParts(
  session: Session,
  file: FileHandle,
  sizeBytes: number,
  target: UploadTarget & { readonly progress: FileProgress },
): Promise<void> {
  const uploadId = randomBytes(16).toString("hex");
  const conflict = target.conflict === "replace" ? ConflictPolicy.REPLACE : ConflictPolicy.FAIL;
  const begun = await withRetries(
    () =>
      session.drive.startUpload({
        uploadId,
        parentId: target.parentId,
        name: target.name,
        sizeBytes: BigInt(sizeBytes),
        conflict,
      }),
    target.signal,
  );
  const partSizeBytes = begun.partSizeBytes;
  const parts = Array.from({ length: Math.ceil(sizeBytes / partSizeBytes) }, (_, part) => part);
  try {
    await forEachConcurrently(parts, partsInFlightMax, async (part) => {
      const offset = part * partSizeBytes;
      const bytes = await readFully(file, offset, Math.min(partSizeBytes, sizeBytes - offset));
      const headers = { "X-Content-SHA256": createHash("sha256").update(bytes).digest("hex") };
      await withRetries(async () => {
        const path = `/api/v1/uploads/${uploadId}/parts/${part}`;
        await readAll(
          await sendBytes(session.profile, { method: "PUT", path, headers, body: bytes, ...signalOf(target) }),
        );
      }, target.signal);
      target.progress.add(bytes.length);
    });
    await withRetries(() => session.drive.commitUpload({ uploadId, sizeBytes: BigInt(sizeBytes) }), target.signal);
  } catch (error) {
    // The server forgets it in time by itself; telling it now frees the space sooner.
    await session.drive.abortUpload({ uploadId }).catch(() => undefined);
    throw error;
  }
}

/** Uploads a stream of unknown length in one request (`put -`). It cannot be repeated, so it is not retried. */
export async function uploadStream(session: Session, source: Readable, target: UploadTarget): Promise<void> {
  const query = new URLSearchParams({ parent: String(target.parentId), name: target.name, conflict: target.conflict });
  const response = await sendBytes(session.profile, {
    method: "PUT",
    path: `/api/v1/files?${query}`,
    body: source,
    ...signalOf(target),
  });
  await readAll(response);
}

function signalOf(target: UploadTarget): { signal?: AbortSignal } {
  return target.signal === undefined ? {} : { signal: target.signal };
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0)
      throw new HoldfastError(
        "precondition",
        "The local file became shorter while it was read. Nothing was stored of it; try again.",
      );
    filled += bytesRead;
  }
  return bytes;
}
