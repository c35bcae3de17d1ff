import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { HoldfastError } from "@holdfast/base";
import type { Gateway } from "../build-gateway.ts";
import type { OpenFile } from "../drive/read-file.ts";
import { contentDisposition } from "./content-disposition.ts";
import { contentTypeOf, inlinePolicyOf } from "./content-type.ts";
import { evaluateConditions, isRangeWanted, versionTag } from "./conditional.ts";
import { sendJson } from "./error-response.ts";
import { header, idOf, type Exchange } from "./exchange.ts";
import { parseRange, type WishedRange } from "./range.ts";
import { queryText } from "./upload-routes.ts";

/** `GET|HEAD /api/v1/files/<entryId>/content`: the bytes of a file, whole or a range. Source: RFC 9110. */
export async function getContent(
  gateway: Gateway,
  exchange: Exchange,
  [entryId = ""]: readonly string[],
): Promise<void> {
  const { request, response, url, scope } = exchange;
  const caller = await exchange.caller();
  const versionId = idOf(queryText(url, "version") ?? "0");
  const file = await gateway.drive.openFile(caller, { entryId: idOf(entryId), versionId }, scope);
  const tag = versionTag(file.versionId);
  const conditions = {
    ifMatch: header(request, "if-match"),
    ifNoneMatch: header(request, "if-none-match"),
    ifRange: header(request, "if-range"),
  };
  setFileHeaders(response, file, { tag, isInline: queryText(url, "inline") === "1" });
  const verdict = evaluateConditions(conditions, tag);
  if (verdict === "failed")
    throw new HoldfastError(
      "precondition",
      "The file has another version than the one you asked for. Nothing was read.",
    );
  if (verdict === "notModified") {
    response.writeHead(304).end();
    return;
  }
  const wish = isRangeWanted(conditions, tag)
    ? parseRange(header(request, "range"), file.sizeBytes)
    : ({ kind: "whole" } as const);
  await answer(exchange, file, wish);
}

async function answer(exchange: Exchange, file: OpenFile, wish: WishedRange): Promise<void> {
  const { request, response, scope, facts } = exchange;
  if (wish.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${file.sizeBytes}`);
    sendJson(response, 416, {
      kind: "invalidArgument",
      message: "The range lies outside the file.",
      requestId: facts.requestId,
    });
    return;
  }
  const range = wish.kind === "part" ? wish.range : { offsetBytes: 0, lengthBytes: file.sizeBytes };
  response.setHeader("Content-Length", range.lengthBytes);
  if (wish.kind === "part") {
    response.setHeader(
      "Content-Range",
      `bytes ${range.offsetBytes}-${range.offsetBytes + range.lengthBytes - 1}/${file.sizeBytes}`,
    );
  }
  response.statusCode = wish.kind === "part" ? 206 : 200;
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await send(response, file.read(range, scope), scope.signal);
}

/** Bytes handed to the connection that it has not sent; fewer, and it would stand still while the next ones are fetched. */
const unsentBytesMax = 1024 * 1024;

/**
 * Writes a stream as the body, no faster than the client takes it. The first bytes are awaited before the head goes out,
 * so that a file that cannot be read at all still answers with a proper error; after that a failure cuts the connection,
 * and the client sees a body that is too short.
 */
async function send(response: ServerResponse, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  try {
    for await (const piece of bytes) {
      if (signal.aborted) return;
      if (!response.write(piece) && response.writableLength > unsentBytesMax) await drained(response, signal);
    }
  } catch (error) {
    // What was read in good order still reaches the client, which may go on from there.
    if (response.writableNeedDrain && !signal.aborted) await drained(response, signal);
    throw error;
  }
  response.end();
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(response, "drain", { signal });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

function setFileHeaders(
  response: ServerResponse,
  file: OpenFile,
  options: { readonly tag: string; readonly isInline: boolean },
): void {
  const contentType = contentTypeOf(file.entry.name);
  response.setHeader("Content-Type", contentType);
  response.setHeader(
    "Content-Disposition",
    contentDisposition(options.isInline ? "inline" : "attachment", file.entry.name),
  );
  response.setHeader("Content-Security-Policy", inlinePolicyOf(contentType));
  response.setHeader("ETag", options.tag);
  response.setHeader("Last-Modified", new Date(Number(file.entry.modifiedAtMs)).toUTCString());
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Cache-Control", "private, no-cache");
}
