import type { IncomingMessage, ServerResponse } from "node:http";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { MemoryState } from "./memory-state.ts";
import { Refusal } from "./refusal.ts";

const policies: Readonly<Record<string, ConflictPolicy>> = {
  fail: ConflictPolicy.FAIL,
  replace: ConflictPolicy.REPLACE,
  keepBoth: ConflictPolicy.KEEP_BOTH,
};

/** The plain HTTP side: whole files, parts, contents. Answers false when the path is none of its own. */
export async function serveBytes(
  state: MemoryState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const url = new URL(request.url ?? "/", "http://memory");
  if (!url.pathname.startsWith("/api/v1/")) return false;
  try {
    state.emailOf(new Headers({ cookie: request.headers.cookie ?? "" }));
    await route(state, url, request, response);
  } catch (thrown) {
    const refusal = thrown instanceof Refusal ? thrown : new Refusal("internal", String(thrown));
    send(response, refusal.httpStatus, { kind: refusal.kind, message: refusal.rawMessage, requestId: "memory" });
  }
  return true;
}

async function route(state: MemoryState, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const part = /^\/api\/v1\/uploads\/([0-9a-f]+)\/parts\/(\d+)$/.exec(url.pathname);
  const content = /^\/api\/v1\/files\/(\d+)\/content$/.exec(url.pathname);
  if (request.method === "PUT" && url.pathname === "/api/v1/files") return putFile(state, url, request, response);
  if (request.method === "PUT" && part !== null) {
    const bytes = await readBody(state, request);
    const sha256 = request.headers["x-content-sha256"];
    state.putPart(part[1] ?? "", Number(part[2]), bytes, typeof sha256 === "string" ? sha256 : undefined);
    return send(response, 200, {});
  }
  if (request.method === "GET" && content !== null) return getContent(state, BigInt(content[1] ?? "0"), response);
  send(response, 404, { kind: "notFound", message: "No such address." });
}

async function putFile(
  state: MemoryState,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parent = BigInt(url.searchParams.get("parent") ?? "0");
  const name = url.searchParams.get("name") ?? "";
  const conflict = policies[url.searchParams.get("conflict") ?? "fail"] ?? ConflictPolicy.FAIL;
  const requestId = request.headers["idempotency-key"];
  const bytes = await readBody(state, request);
  const id = typeof requestId === "string" ? requestId : "";
  const create = () => state.drive.createFile(parent === 0n ? 1n : parent, name, { bytes, conflict });
  const entry = id === "" ? create() : state.once(id, create);
  send(response, 201, { entryId: String(entry.entryId), name: entry.name });
}

async function readBody(state: MemoryState, request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) {
    pieces.push(piece);
    const rate = state.faults.uploadBytesPerSecond;
    if (rate > 0) await state.sleep((piece.length / rate) * 1000);
  }
  if (state.faults.takeUploadFailure())
    throw new Refusal("unavailable", "The cluster is choosing a leader. Nothing was lost; try again.");
  return Buffer.concat(pieces);
}

function getContent(state: MemoryState, id: bigint, response: ServerResponse): void {
  const entry = state.drive.get(id);
  const bytes = state.drive.bytes.get(id) ?? Buffer.alloc(Number(entry.sizeBytes));
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": bytes.length,
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(entry.name)}`,
  });
  response.end(bytes);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
