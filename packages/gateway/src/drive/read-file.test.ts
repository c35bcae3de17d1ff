import { concatBytes } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { expect, test } from "vitest";
import { ada, startSimulatedGateway } from "../testing/simulated-gateway.ts";
import type { ByteRange, Caller } from "./ports.ts";

const content = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7919) >> 3);

async function start(downloadsHeldBytesMax: number) {
  const simulated = startSimulatedGateway({ downloadsHeldBytesMax, downloadHeldBytesMax: 2_000_000 });
  const { gateway, scope, settle, world, bytes } = simulated;
  await world.runFor(1000);
  const { caller } = await settle(
    gateway.sessions.signIn({ ...ada, channel: "cli", keepSignedIn: false, ip: "", client: "" }, scope()),
  );
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
  }
  const stored = await settle(
    gateway.drive.writeFile(
      caller,
      { parentId: 0n, name: "x", conflict: ConflictPolicy.FAIL, source: source() },
      scope(),
    ),
  );
  const asked: ByteRange[] = [];
  const read = bytes.read.bind(bytes);
  bytes.read = (layout, range, readScope) => {
    asked.push(range);
    return read(layout, range, readScope);
  };
  const open = (as: Caller, entryId = stored.entryId) =>
    settle(gateway.drive.openFile(as, { entryId, versionId: 0n }, scope()));
  return { ...simulated, caller, open, asked };
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return concatBytes(pieces);
}

test("with memory to spare a range is one read; without, small ones, and the bytes are the same", async () => {
  const { open, caller, asked, scope } = await start(3_000_000);
  const file = await open(caller);
  const range = { offsetBytes: 12_345, lengthBytes: 2_500_000 };
  const held = file.read(range, scope())[Symbol.asyncIterator]();
  const first = await held.next();
  expect(asked.splice(0)).toEqual([range]);
  expect(await all(file.read(range, scope()))).toEqual(content.subarray(12_345, 2_512_345));
  expect(asked.splice(0).map(({ lengthBytes }) => lengthBytes)).toEqual([1_048_576, 1_048_576, 402_848]);
  expect(first.done).toBe(false);
  await held.return?.();
  expect(await all(file.read(range, scope()))).toEqual(content.subarray(12_345, 2_512_345));
  expect(asked).toEqual([range]);
});

test("nothing asked for is nothing read", async () => {
  const { open, caller, asked, scope } = await start(3_000_000);
  expect(await all((await open(caller)).read({ offsetBytes: 5, lengthBytes: 0 }, scope()))).toHaveLength(0);
  expect(asked).toEqual([]);
});

test("a reader keeps its version when the file is replaced meanwhile", async () => {
  const { open, caller, gateway, scope, settle } = await start(3_000_000);
  const before = await open(caller);
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1, 2, 3);
  }
  await settle(
    gateway.drive.writeFile(
      caller,
      { parentId: 0n, name: "x", conflict: ConflictPolicy.REPLACE, source: source() },
      scope(),
    ),
  );
  expect(await all(before.read({ offsetBytes: 0, lengthBytes: 5 }, scope()))).toEqual(content.subarray(0, 5));
  const after = await open(caller);
  expect([after.sizeBytes, after.versionId > before.versionId]).toEqual([3, true]);
});
