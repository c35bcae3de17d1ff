import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { concatBytes } from "@holdfast/base";
import { expect, test } from "vitest";
import { ada, startSimulatedGateway } from "../testing/simulated-gateway.ts";

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function start() {
  const simulated = startSimulatedGateway({ partSizeBytes: 100_000 });
  await simulated.world.runFor(1000);
  const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "", client: "" };
  const { caller } = await simulated.settle(simulated.gateway.sessions.signIn(attempt, simulated.scope()));
  return { ...simulated, caller, uploads: simulated.gateway.drive.uploads };
}

const uploadId = "0123456789abcdef0123456789abcdef";
const upload = { uploadId, parentId: 0n, name: "big.bin", sizeBytes: 150_000n, conflict: ConflictPolicy.FAIL };

test("an upload is begun, stored and committed once, however often each step is repeated", async () => {
  const { uploads, caller, scope, settle, masters, gateway } = await start();
  const [first, second] = [new Uint8Array(100_000).fill(1), new Uint8Array(50_000).fill(2)];
  for (let time = 0; time < 2; time++) expect(await settle(uploads.start(caller, upload, scope()))).toBe(100_000);
  for (const [part, bytes] of [
    [1, second],
    [0, first],
    [1, second],
  ] as const)
    await settle(uploads.storePart(caller, { uploadId, part, source: once(bytes) }, scope()));
  expect(
    (await settle(uploads.get(caller, uploadId, scope()))).parts.map(({ part, lengthBytes }) => [part, lengthBytes]),
  ).toEqual([
    [0, 100_000],
    [1, 50_000],
  ]);
  const commit = { uploadId, sizeBytes: 150_000n, sha256: new Uint8Array() };
  const entries = [
    await settle(uploads.commit(caller, commit, scope())),
    await settle(uploads.commit(caller, commit, scope())),
  ];
  expect(entries[0]).toEqual(entries[1]);
  expect(masters.commands.filter((name) => name === "startUpload" || name === "commitUpload")).toEqual([
    "startUpload",
    "commitUpload",
  ]);
  const file = await settle(
    gateway.drive.openFile(caller, { entryId: entries[0]?.entryId ?? 0n, versionId: 0n }, scope()),
  );
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read({ offsetBytes: 99_999, lengthBytes: 2 }, scope())) pieces.push(piece);
  expect(concatBytes(pieces)).toEqual(Uint8Array.of(1, 2));
});

test("missing parts, wrong sizes and unknown uploads are told", async () => {
  const { uploads, caller, scope, settle } = await start();
  const commit = { uploadId, sizeBytes: 150_000n, sha256: new Uint8Array() };
  await expect(settle(uploads.commit(caller, commit, scope()))).rejects.toMatchObject({ kind: "notFound" });
  await settle(uploads.start(caller, upload, scope()));
  await settle(uploads.storePart(caller, { uploadId, part: 1, source: once(new Uint8Array(50_000)) }, scope()));
  await expect(settle(uploads.commit(caller, commit, scope()))).rejects.toMatchObject({ kind: "precondition" });
  await expect(settle(uploads.start(caller, { ...upload, uploadId: "x" }, scope()))).rejects.toMatchObject({
    kind: "invalidArgument",
  });
  await expect(settle(uploads.start(caller, { ...upload, name: "a/b" }, scope()))).rejects.toMatchObject({
    kind: "invalidArgument",
  });
  await settle(uploads.abort(caller, uploadId, scope()));
  await expect(settle(uploads.get(caller, uploadId, scope()))).rejects.toMatchObject({ kind: "notFound" });
});

test("a refusal by the masters stops a part that is still arriving", async () => {
  const { uploads, caller, scope, settle, bytes } = await start();
  let isReadToTheEnd = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 90; count++) yield new Uint8Array(1000);
    isReadToTheEnd = true;
  }
  bytes.beforeChunk = async () => new Promise((resolve) => setImmediate(resolve));
  await expect(
    settle(uploads.storePart(caller, { uploadId, part: 0, source: endless() }, scope())),
  ).rejects.toMatchObject({ kind: "notFound" });
  expect(isReadToTheEnd).toBe(false);
  expect(bytes.brokenWriteCount).toBe(1);
});

test("a caller who left before the commit changes nothing", async () => {
  const { caller, scope, gateway, masters } = await start();
  const gone = new AbortController();
  async function* leaving(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    gone.abort();
  }
  const file = { parentId: 0n, name: "x", conflict: ConflictPolicy.FAIL, source: leaving() };
  await expect(gateway.drive.writeFile(caller, file, scope(gone.signal))).rejects.toMatchObject({ kind: "cancelled" });
  expect(masters.commands).not.toContain("commitFile");
});
