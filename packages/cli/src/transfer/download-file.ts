import { createHash, randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { equalBytes, HoldfastError } from "@holdfast/base";
import type { Entry } from "@holdfast/proto/model/v1/model";
import type { FileProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { sendBytes } from "./http-bytes.ts";
import { withRetries } from "./retry.ts";

/**
 * Downloads a file beside its target and renames it into place, so that a cut-off never leaves a half file under the real
 * name. Continues from where a broken connection left off. The whole is compared with the stored SHA-256 when there is one.
 */
export async function downloadFile(
  session: Session,
  entry: Entry,
  target: { readonly localPath: string; readonly progress: FileProgress; readonly signal?: AbortSignal },
): Promise<void> {
  const temporary = `${target.localPath}.holdfast-${randomBytes(4).toString("hex")}`;
  const file = await open(temporary, "wx");
  const size = Number(entry.sizeBytes);
  const hash = createHash("sha256");
  let written = 0;
  try {
    await withRetries(async () => {
      if (written >= size) return;
      for await (const part of readContent(session, entry, written, target.signal)) {
        await file.write(part, 0, part.length, written);
        hash.update(part);
        written += part.length;
        target.progress.add(part.length);
      }
      if (written < size) throw new HoldfastError("unavailable", "The download ended early.");
    }, target.signal);
    if (entry.sha256.length > 0 && !equalBytes(hash.digest(), entry.sha256)) {
      throw new HoldfastError(
        "checksumMismatch",
        `${entry.name} arrived damaged; nothing was written under its name. Try again.`,
      );
    }
    await file.close();
    await rename(temporary, target.localPath);
    target.progress.done();
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The file's bytes from `offset` on, of the version that `entry` names. */
async function* readContent(
  session: Session,
  entry: Entry,
  offset: number,
  signal?: AbortSignal,
): AsyncIterable<Buffer> {
  const etag = `"${entry.versionId}"`;
  const response = await sendBytes(session.profile, {
    method: "GET",
    path: `/api/v1/files/${entry.entryId}/content`,
    headers: offset === 0 ? {} : { Range: `bytes=${offset}-`, "If-Range": etag },
    ...(signal === undefined ? {} : { signal }),
  });
  if (offset > 0 && response.statusCode !== 206) {
    response.destroy();
    throw new HoldfastError(
      "versionConflict",
      `${entry.name} changed while it was downloaded. Nothing was written; try again.`,
    );
  }
  try {
    for await (const part of response) yield part as Buffer;
  } catch (cause) {
    throw new HoldfastError("unavailable", "The connection to the server broke during the download.", { cause });
  }
}

/** Copies a file's bytes to a stream, honouring its pace (`cat`, `get ... -`). */
export async function streamFile(session: Session, entry: Entry, sink: Writable, signal?: AbortSignal): Promise<void> {
  let sent = 0;
  const size = Number(entry.sizeBytes);
  await withRetries(async () => {
    if (sent >= size) return;
    for await (const part of readContent(session, entry, sent, signal)) {
      sent += part.length;
      if (!sink.write(part)) await new Promise<void>((resolve) => sink.once("drain", resolve));
    }
    if (sent < size) throw new HoldfastError("unavailable", "The download ended early.");
  }, signal);
}
