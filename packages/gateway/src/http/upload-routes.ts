import { fromHex, HoldfastError, toHex } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { Gateway } from "../build-gateway.ts";
import { wishedRequestId } from "../drive/request-id.ts";
import { sendJson } from "./error-response.ts";
import { bodyOf, contentLengthOf, header, idOf, type Exchange } from "./exchange.ts";

const conflictByWord: Readonly<Record<string, ConflictPolicy>> = {
  fail: ConflictPolicy.FAIL,
  replace: ConflictPolicy.REPLACE,
  keepBoth: ConflictPolicy.KEEP_BOTH,
  "keep-both": ConflictPolicy.KEEP_BOTH,
};

/** `PUT /api/v1/files?parent=&name=&conflict=`: a whole file as one body. */
export async function putFile(gateway: Gateway, exchange: Exchange): Promise<void> {
  const { request, response, url, scope } = exchange;
  const caller = await exchange.caller();
  const name = queryText(url, "name");
  if (name === undefined)
    throw new HoldfastError("invalidArgument", "The query must name the file (name=...). Nothing was stored.");
  const requestId = wishedRequestId(header(request, "idempotency-key") ?? "") ?? scope.requestId;
  const file = {
    parentId: idOf(queryText(url, "parent") ?? "0"),
    name,
    conflict: conflictOf(queryText(url, "conflict") ?? "fail"),
    lengthBytes: contentLengthOf(request),
    sha256: announcedSha256(exchange),
    source: bodyOf(exchange),
  };
  const stored = await gateway.drive.writeFile(caller, file, { ...scope, requestId });
  sendJson(response, 201, {
    entryId: String(stored.entryId),
    parentId: String(stored.parentId),
    versionId: String(stored.versionId),
    name: stored.name,
    sizeBytes: stored.sizeBytes,
    sha256: toHex(stored.sha256),
    index: String(stored.index),
  });
}

/** `PUT /api/v1/uploads/<uploadId>/parts/<n>`: one part as the body. */
export async function putPart(
  gateway: Gateway,
  exchange: Exchange,
  [uploadId = "", partText = ""]: readonly string[],
): Promise<void> {
  const caller = await exchange.caller();
  const part = Number(partText);
  if (!/^[0-9]{1,7}$/.test(partText))
    throw new HoldfastError("invalidArgument", "A part is a number from 0. Nothing was stored.");
  const lengthBytes = contentLengthOf(exchange.request);
  if (lengthBytes !== undefined && lengthBytes > gateway.config.partSizeBytes) {
    throw new HoldfastError(
      "tooLarge",
      `A part has at most ${gateway.config.partSizeBytes} bytes. Nothing was stored.`,
    );
  }
  const incoming = { uploadId, part, lengthBytes, sha256: announcedSha256(exchange), source: bodyOf(exchange) };
  const stored = await gateway.drive.uploads.storePart(caller, incoming, exchange.scope);
  sendJson(exchange.response, 200, {
    part: stored.part,
    lengthBytes: stored.lengthBytes,
    sha256: toHex(stored.sha256),
  });
}

function conflictOf(word: string): ConflictPolicy {
  const policy = Object.hasOwn(conflictByWord, word) ? conflictByWord[word] : undefined;
  if (policy === undefined)
    throw new HoldfastError("invalidArgument", "conflict is fail, replace or keepBoth. Nothing was stored.");
  return policy;
}

function announcedSha256({ request }: Exchange): Uint8Array | undefined {
  const text = header(request, "x-content-sha256");
  if (text === undefined) return undefined;
  const bytes = fromHex(text);
  if (bytes?.length !== 32)
    throw new HoldfastError("invalidArgument", "X-Content-SHA256 is 64 hex digits. Nothing was stored.");
  return bytes;
}

/** A value of the query, decoded strictly: bytes that are not UTF-8 are refused instead of replaced. Errors: invalidArgument. */
export function queryText(url: URL, name: string): string | undefined {
  for (const pair of url.search.slice(1).split("&")) {
    const equals = pair.indexOf("=");
    if ((equals < 0 ? pair : pair.slice(0, equals)) !== name) continue;
    try {
      return decodeURIComponent((equals < 0 ? "" : pair.slice(equals + 1)).replaceAll("+", " "));
    } catch (cause) {
      throw new HoldfastError(
        "invalidArgument",
        `The query's ${name} is not percent-encoded UTF-8. Nothing was stored.`,
        { cause },
      );
    }
  }
  return undefined;
}
