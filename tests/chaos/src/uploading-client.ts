import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { EdgeClient } from "@holdfast/tests-conformance";

/** What the cluster acknowledged, to be read back later. */
export interface Acknowledged {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** From sending the last attempt to its answer. */
  readonly tookMs: number;
  /** `performance.now()` at the answer. */
  readonly atMs: number;
}

/** How one uploading client works. */
export interface UploadingOptions {
  readonly client: EdgeClient;
  readonly label: string;
  readonly sizesBytes: readonly number[];
  readonly signal: AbortSignal;
}

const attemptTimeoutMs = 30_000;

/**
 * Uploads files of the given sizes in turn until aborted, retrying each under the same request id until it is
 * acknowledged. Resolves with everything that was; throws on an answer that no retry may mend.
 */
export async function uploadUntil(options: UploadingOptions): Promise<readonly Acknowledged[]> {
  const { client, label, sizesBytes, signal } = options;
  const acknowledged: Acknowledged[] = [];
  for (let count = 0; !signal.aborted; count++) {
    const bytes = randomBytes(sizesBytes[count % sizesBytes.length] ?? 0);
    const name = `${label}-${count}.bin`;
    const requestId = randomBytes(16).toString("hex");
    const isDone = await putWithRetries(client, { name, bytes, requestId }, signal);
    if (isDone === undefined) break;
    acknowledged.push({
      name,
      sizeBytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      ...isDone,
    });
  }
  return acknowledged;
}

async function putWithRetries(
  client: EdgeClient,
  file: { readonly name: string; readonly bytes: Buffer; readonly requestId: string },
  signal: AbortSignal,
): Promise<{ readonly tookMs: number; readonly atMs: number } | undefined> {
  while (!signal.aborted) {
    const startedAtMs = performance.now();
    try {
      const response = await client.put(file.name, file.bytes, {
        requestId: file.requestId,
        signal: AbortSignal.timeout(attemptTimeoutMs),
      });
      const body = await response.text();
      if (response.ok) return { tookMs: performance.now() - startedAtMs, atMs: performance.now() };
      if (response.status < 500 && response.status !== 429)
        throw new Refused(`${file.name}: HTTP ${response.status} ${body}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    await delay(50);
  }
  return undefined;
}

class Refused extends Error {}

/** Reads everything back and returns what is wrong with it: nothing, one hopes. */
export async function findLosses(
  client: EdgeClient,
  acknowledged: readonly Acknowledged[],
): Promise<readonly string[]> {
  const entryIds = new Map<string, bigint>();
  let cursor: Uint8Array = new Uint8Array();
  do {
    const page = await client.drive.listFolder({ limit: 1_000, cursor });
    for (const entry of page.entries) {
      if (entryIds.has(entry.name)) return [`${entry.name} is listed twice`];
      entryIds.set(entry.name, entry.entryId);
    }
    cursor = page.cursor;
  } while (cursor.length > 0);
  const losses: string[] = [];
  for (const file of acknowledged) {
    const entryId = entryIds.get(file.name);
    if (entryId === undefined) {
      losses.push(`${file.name} was acknowledged and is gone`);
      continue;
    }
    const response = await client.get(entryId);
    const bytes = Buffer.from(await response.arrayBuffer());
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (!response.ok || sha256 !== file.sha256)
      losses.push(`${file.name}: HTTP ${response.status}, ${bytes.length} of ${file.sizeBytes} bytes, other hash`);
  }
  return losses;
}
