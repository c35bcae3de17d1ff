import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHttpGateway, type HttpGateway } from "../testing/http-gateway.ts";
import { sendRaw } from "./testing/raw-http.ts";

let edge: HttpGateway;
beforeAll(async () => {
  edge = await startHttpGateway({ gateway: { partSizeBytes: 256 * 1024 } });
});
afterAll(async () => edge.stop());

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};
const commitCount = (): number => edge.masters.commands.filter((name) => name === "commitFile").length;

describe("whole files", () => {
  test.each([0, 1, 4096, 4097, 65_536, 65_537, 1_000_003])("%i bytes come back as they went", async (lengthBytes) => {
    const bytes = randomBytes(lengthBytes);
    const response = await edge.put(`size-${lengthBytes}.bin`, bytes, {
      headers: { "X-Content-SHA256": sha256(bytes) },
    });
    const answer = (await response.json()) as Record<string, unknown>;
    expect({ status: response.status, ...answer }).toMatchObject({
      status: 201,
      name: `size-${lengthBytes}.bin`,
      sizeBytes: lengthBytes,
      sha256: sha256(bytes),
    });
    for (const id of ["entryId", "parentId", "versionId", "index"]) expect(answer[id]).toMatch(/^[0-9]+$/);
    const back = await edge.get(String(answer["entryId"]));
    expect(back.status).toBe(200);
    expect(back.headers.get("content-length")).toBe(String(lengthBytes));
    expect(sha256(new Uint8Array(await back.arrayBuffer()))).toBe(sha256(bytes));
  });

  test("a body without a length is taken", async () => {
    const bytes = randomBytes(200_000);
    const body = new ReadableStream({ start: (controller) => (controller.enqueue(bytes), controller.close()) });
    const init = { method: "PUT", body, headers: edge.bearer, duplex: "half" } as RequestInit;
    const response = await fetch(`${edge.origin}/api/v1/files?parent=0&name=chunked.bin`, init);
    expect(await response.json()).toMatchObject({ sizeBytes: 200_000, sha256: sha256(bytes) });
  });

  test.each(["ä ö ü.txt", "🚀 launch.txt", `quo"te's.txt`, ".hidden", "a+b & c=d%20.txt", "x".repeat(255)])(
    "the name %j survives",
    async (name) => {
      const response = await edge.put(name, Buffer.from("x"));
      expect(await response.json()).toMatchObject({ name });
    },
  );

  test.each([
    ["", 400],
    ["a/b", 400],
    ["a\0b", 400],
    [".", 400],
    ["..", 400],
    ["x".repeat(300), 400],
    ["ü".repeat(128), 400],
  ])("the name %j is refused", async (name, status) => {
    const before = commitCount();
    const response = await edge.put(name, randomBytes(10_000));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      kind: "invalidArgument",
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(commitCount()).toBe(before);
  });

  test("a name that is not UTF-8 is refused", async () => {
    const response = await fetch(`${edge.origin}/api/v1/files?parent=0&name=%ff%fe`, {
      method: "PUT",
      body: "x",
      headers: edge.bearer,
    });
    expect(response.status).toBe(400);
  });

  test("a wrong checksum stores nothing", async () => {
    for (const lengthBytes of [10, 100_000]) {
      const before = commitCount();
      const response = await edge.put("wrong.bin", randomBytes(lengthBytes), {
        headers: { "X-Content-SHA256": "0".repeat(64) },
      });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ kind: "checksumMismatch" });
      expect(commitCount()).toBe(before);
    }
  });

  test("a malformed checksum, conflict word, parent, request id or encoding is refused", async () => {
    const bytes = randomBytes(5000);
    expect((await edge.put("bad.bin", bytes, { headers: { "X-Content-SHA256": "abc" } })).status).toBe(400);
    expect((await edge.put("bad.bin", bytes, { conflict: "maybe" })).status).toBe(400);
    expect((await edge.put("bad.bin", bytes, { conflict: "constructor" })).status).toBe(400);
    expect((await edge.put("bad.bin", bytes, { parent: "-1" })).status).toBe(400);
    expect((await edge.put("bad.bin", bytes, { headers: { "Idempotency-Key": "again" } })).status).toBe(400);
    expect((await edge.put("bad.bin", bytes, { headers: { "Content-Encoding": "gzip" } })).status).toBe(400);
    expect((await edge.put("bad.bin", bytes, { parent: "987654" })).status).toBe(404);
    expect((await edge.put("bad.bin", randomBytes(2_000_000), { parent: "987654" })).status).toBe(404);
  });

  test("a taken name is refused, replaced or kept beside", async () => {
    await edge.store("taken.txt", Buffer.from("one"));
    expect((await edge.put("taken.txt", Buffer.from("two"))).status).toBe(409);
    expect(await (await edge.put("taken.txt", Buffer.from("two"), { conflict: "keepBoth" })).json()).toMatchObject({
      name: "taken.txt (2)",
    });
    const id = await edge.store("taken.txt", Buffer.from("three"));
    expect(await (await edge.get(id)).text()).toBe("three");
  });

  test("the same request id stores once", async () => {
    const headers = { "Idempotency-Key": randomBytes(16).toString("hex") };
    const first = (await (await edge.put("once.txt", Buffer.from("x"), { headers })).json()) as object;
    const second = await edge.put("once.txt", Buffer.from("x"), { headers });
    expect(second.status).toBe(201);
    expect(await second.json()).toEqual(first);
  });

  test("an upload that is cut off leaves nothing, and its writes stop", async () => {
    const [before, brokenBefore] = [commitCount(), edge.bytes.brokenWriteCount];
    const socket = connect(edge.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      `PUT /api/v1/files?parent=0&name=cut.bin HTTP/1.1\r\nHost: x\r\nAuthorization: ${edge.bearer.Authorization}\r\nContent-Length: 1000000\r\n\r\n`,
    );
    const chunksBefore = edge.bytes.chunks.size;
    socket.write(randomBytes(300_000));
    await until(() => edge.bytes.chunks.size > chunksBefore);
    socket.destroy();
    await until(() => edge.bytes.brokenWriteCount > brokenBefore);
    expect(commitCount()).toBe(before);
    expect([...edge.masters.namespace.entries.values()].some((entry) => entry.name === "cut.bin")).toBe(false);
  });

  test("a client that is slower to be served than to send is held back", async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    edge.bytes.beforeChunk = async () => held;
    const socket = httpRequest(`${edge.origin}/api/v1/files?parent=0&name=slow.bin`, {
      method: "PUT",
      headers: edge.bearer,
    });
    const answered = new Promise<number | undefined>((resolve) =>
      socket.once("response", (response) => (response.resume(), resolve(response.statusCode))),
    );
    let isDrained = true;
    let sentBytes = 0;
    const piece = randomBytes(256 * 1024);
    while (isDrained && sentBytes < 256 * 1024 * 1024) {
      isDrained = await new Promise<boolean>((resolve) => {
        if (socket.write(piece)) return resolve(true);
        const stuck = setTimeout(() => resolve(false), 300);
        socket.once("drain", () => (clearTimeout(stuck), resolve(true)));
      });
      sentBytes += piece.length;
    }
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
    edge.bytes.beforeChunk = async () => undefined;
    letGo();
    socket.end();
    expect(await answered).toBe(201);
  });

  test("a refusal reaches a client that is still sending", async () => {
    const response = await fetch(`${edge.origin}/api/v1/files?parent=0&name=big.bin`, {
      method: "PUT",
      body: randomBytes(8_000_000),
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ kind: "unauthenticated" });
  });

  test("a client that asks before it sends is asked for the body, or refused without it", async () => {
    const head = (token: string): string =>
      `PUT /api/v1/files?parent=0&name=expect.txt HTTP/1.1\r\nHost: x\r\nAuthorization: ${token}\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n`;
    expect(await sendRaw(edge.port, head(edge.bearer.Authorization), "abc")).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201/,
    );
    expect(await sendRaw(edge.port, head("Bearer nobody"), "abc")).toMatch(/^HTTP\/1.1 401/);
  });
});

describe("parts", () => {
  const uploadId = (): string => randomBytes(16).toString("hex");
  async function start(name: string, sizeBytes: number): Promise<string> {
    const id = uploadId();
    const body = JSON.stringify({ uploadId: id, name, sizeBytes: String(sizeBytes) });
    const headers = { ...edge.bearer, "Content-Type": "application/json" };
    const response = await fetch(`${edge.origin}/holdfast.drive.v1.DriveService/StartUpload`, {
      method: "POST",
      body,
      headers,
    });
    expect(await response.json()).toEqual({ partSizeBytes: 256 * 1024 });
    return id;
  }
  const putPart = async (
    id: string,
    part: number | string,
    bytes: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(`${edge.origin}/api/v1/uploads/${id}/parts/${part}`, {
      method: "PUT",
      body: Uint8Array.from(bytes),
      headers: { ...edge.bearer, ...headers },
    });

  test("parts in any order, one of them twice, become the file", async () => {
    const bytes = randomBytes(600_000);
    const id = await start("parts.bin", bytes.length);
    for (const part of [2, 0, 1, 0]) {
      const piece = bytes.subarray(part * 262_144, (part + 1) * 262_144);
      const response = await putPart(id, part, piece, { "X-Content-SHA256": sha256(piece) });
      expect({ status: response.status, body: await response.json() }).toEqual({
        status: 200,
        body: { part, lengthBytes: piece.length, sha256: sha256(piece) },
      });
    }
    const commit = await fetch(`${edge.origin}/holdfast.drive.v1.DriveService/CommitUpload`, {
      method: "POST",
      body: JSON.stringify({ uploadId: id, sizeBytes: String(bytes.length) }),
      headers: { ...edge.bearer, "Content-Type": "application/json" },
    });
    const { entry } = (await commit.json()) as { entry: { entryId: string } };
    expect(sha256(new Uint8Array(await (await edge.get(entry.entryId)).arrayBuffer()))).toBe(sha256(bytes));
  });

  test("what is wrong with a part is told, and nothing of it counts", async () => {
    const id = await start("bad-parts.bin", 1000);
    expect((await putPart(uploadId(), 0, randomBytes(10))).status).toBe(404);
    expect((await putPart("nonsense", 0, randomBytes(10))).status).toBe(400);
    expect((await putPart(id, "x", randomBytes(10))).status).toBe(400);
    expect((await putPart(id, 0, randomBytes(0))).status).toBe(400);
    expect((await putPart(id, 0, randomBytes(262_145))).status).toBe(413);
    expect((await putPart(id, 0, randomBytes(10), { "X-Content-SHA256": "1".repeat(64) })).status).toBe(422);
    const chunked = new ReadableStream({
      start: (controller) => (controller.enqueue(randomBytes(300_000)), controller.close()),
    });
    const init = { method: "PUT", body: chunked, headers: edge.bearer, duplex: "half" } as RequestInit;
    expect((await fetch(`${edge.origin}/api/v1/uploads/${id}/parts/0`, init)).status).toBe(413);
    expect(edge.masters.uploads.get(id)?.parts.size).toBe(0);
  });
});
