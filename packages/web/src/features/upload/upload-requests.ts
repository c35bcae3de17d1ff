import { HoldfastError, isHoldfastError } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { explainFailure, isRetryable } from "../../lib/failure.ts";
import { drive } from "../../lib/rpc.ts";
import type { UploadEffect, UploadItem } from "./model/upload-item.ts";
import type { UploadFailure } from "./model/upload-queue.ts";
import { putBytes, sha256Of } from "./put-bytes.ts";

/** An effect that is a request for one file. */
export type ItemEffect = Exclude<UploadEffect, { kind: "makeFolder" | "abort" | "stop" }>;

/** What a request needs besides the effect. */
export interface RequestContext {
  readonly file: File;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

/** What a request brought. */
export type RequestOutcome =
  | { readonly kind: "completed" }
  | { readonly kind: "partStored"; readonly part: number }
  | { readonly kind: "started"; readonly partSizeBytes: number; readonly storedParts: readonly number[] };

/** Carries out one request of an upload. Fails with `HoldfastError`. */
export async function sendRequest(effect: ItemEffect, context: RequestContext): Promise<RequestOutcome> {
  const { item } = effect;
  const { signal } = context;
  switch (effect.kind) {
    case "putWhole": {
      const query = new URLSearchParams({
        parent: String(effect.parentId),
        name: item.name,
        conflict: conflictOf(item),
      });
      await putBody(`/api/v1/files?${query.toString()}`, context.file, { ...context, requestId: item.uploadId });
      return { kind: "completed" };
    }
    case "putPart": {
      const body = context.file.slice(effect.offsetBytes, effect.offsetBytes + effect.lengthBytes);
      await putBody(`/api/v1/uploads/${item.uploadId}/parts/${effect.part}`, body, context);
      return { kind: "partStored", part: effect.part };
    }
    case "start": {
      const { uploadId, name } = item;
      const target = { parentId: BigInt(effect.parentId), sizeBytes: BigInt(item.sizeBytes), conflict: policyOf(item) };
      const { partSizeBytes } = await drive.startUpload({ uploadId, name, ...target }, { signal });
      return { kind: "started", partSizeBytes, storedParts: [] };
    }
    case "look": {
      const { upload } = await drive.getUpload({ uploadId: item.uploadId }, { signal });
      if (upload === undefined) throw new HoldfastError("notFound", "This upload is not known any more.");
      const { partSizeBytes, parts } = upload;
      return { kind: "started", partSizeBytes, storedParts: parts.map((part) => part.part) };
    }
    case "commit": {
      const { uploadId, sizeBytes } = item;
      await drive.commitUpload({ uploadId, sizeBytes: BigInt(sizeBytes) }, { signal, timeoutMs: 60_000 });
      return { kind: "completed" };
    }
  }
}

/** What a failed request means for the file. */
export function classifyFailure(effect: ItemEffect, error: HoldfastError): UploadFailure {
  const { title, advice } = explainFailure(error);
  const message = `${title.replace(/\.$/, "")}. ${advice}`;
  if (error.kind === "nameTaken") return { kind: "nameTaken", message };
  const isInUpload = effect.kind === "look" || effect.kind === "putPart" || effect.kind === "commit";
  if (isInUpload && isHoldfastError(error, "notFound")) return { kind: "lost", message };
  return { kind: isRetryable(error) ? "retryable" : "fatal", message };
}

async function putBody(
  url: string,
  body: Blob,
  context: RequestContext & { readonly requestId?: string },
): Promise<void> {
  const sha256 = await sha256Of(body);
  const headers = {
    "Content-Type": "application/octet-stream",
    ...(context.requestId === undefined ? {} : { "Idempotency-Key": context.requestId }),
    ...(sha256 === undefined ? {} : { "X-Content-SHA256": sha256 }),
  };
  await putBytes(url, body, { headers, signal: context.signal, onProgress: context.onProgress });
}

function conflictOf(item: UploadItem): "keepBoth" | "replace" | "fail" {
  return item.choice === "keepBoth" || item.choice === "replace" ? item.choice : "fail";
}

const policies = {
  keepBoth: ConflictPolicy.KEEP_BOTH,
  replace: ConflictPolicy.REPLACE,
  fail: ConflictPolicy.FAIL,
} as const;

function policyOf(item: UploadItem): ConflictPolicy {
  return policies[conflictOf(item)];
}
