import { createHash } from "node:crypto";
import { concatBytes } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ada, startSimulatedGateway } from "../testing/simulated-gateway.ts";
import { SegmentedSource } from "./segmented-source.ts";

const segmentBytes = 200_000;
const content = Uint8Array.from({ length: 900_000 }, (_, at) => (at * 7919) >> 5);

async function* piecesOf(bytes: Uint8Array, pieceBytes = 30_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function start() {
  const simulated = startSimulatedGateway({ segmentBytes });
  const { gateway, scope, settle, world } = simulated;
  await world.runFor(1000);
  const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "", client: "" };
  const { caller } = await settle(gateway.sessions.signIn(attempt, scope()));
  const write = (source: AsyncIterable<Uint8Array>, in_ = scope(), sha256?: Uint8Array) =>
    settle(
      gateway.drive.writeFile(
        caller,
        { parentId: 0n, name: "x", conflict: ConflictPolicy.REPLACE, source, sha256 },
        in_,
      ),
    );
  const read = async (entryId: bigint): Promise<Uint8Array> => {
    const file = await settle(gateway.drive.openFile(caller, { entryId, versionId: 0n }, scope()));
    const pieces: Uint8Array[] = [];
    for await (const piece of file.read({ offsetBytes: 0, lengthBytes: file.sizeBytes }, scope())) pieces.push(piece);
    return concatBytes(pieces);
  };
  const told = (): string[] => simulated.masters.commands.filter((name) => /Upload|File/.test(name));
  return { ...simulated, write, read, told };
}

describe("a file longer than its chunks' places are held", () => {
  test.each([4097, 199_999, 200_000, 200_001, 400_000, 777_777, 900_000])(
    "%i bytes are stored as they came",
    async (lengthBytes) => {
      const { write, read, told, masters } = await start();
      const bytes = content.subarray(0, lengthBytes);
      const stored = await write(piecesOf(bytes));
      const sha256 = new Uint8Array(createHash("sha256").update(bytes).digest());
      expect({ sizeBytes: stored.sizeBytes, sha256: stored.sha256 }).toEqual({ sizeBytes: lengthBytes, sha256 });
      expect(await read(stored.entryId)).toEqual(bytes);
      const parts = Math.ceil(lengthBytes / segmentBytes);
      const asUpload = [
        "startUpload",
        ...Array.from({ length: parts }, () => "storeUploadPart"),
        "commitUpload",
        "abortUpload",
      ];
      expect(told()).toEqual(parts === 1 ? ["commitFile"] : asUpload);
      expect(masters.uploads.size).toBe(0);
    },
  );

  test("is stored once, however often the request is repeated", async () => {
    const { write, masters, scope, world } = await start();
    const request = scope();
    const first = await write(piecesOf(content), request);
    const second = await write(piecesOf(content), request);
    await world.runFor(10);
    expect(second).toEqual(first);
    expect(masters.uploads.size).toBe(0);
  });

  test("leaves nothing when it breaks off or is not what was announced", async () => {
    const { write, masters, bytes, told, world } = await start();
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield* piecesOf(content.subarray(0, 500_000));
      throw new Error("the connection broke");
    }
    await expect(write(breaking())).rejects.toThrow("the connection broke");
    await expect(write(piecesOf(content), undefined, new Uint8Array(32))).rejects.toMatchObject({
      kind: "checksumMismatch",
    });
    await world.runFor(10);
    expect(told().filter((name) => name.startsWith("commit"))).toEqual([]);
    expect(masters.uploads.size).toBe(0);
    bytes.beforeChunk = async () => Promise.reject(new Error("no node takes it"));
    let isReadToTheEnd = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      yield* piecesOf(content);
      isReadToTheEnd = true;
    }
    await expect(write(watched())).rejects.toThrow("no node takes it");
    expect(isReadToTheEnd).toBe(false);
  });

  test("the next segment is read while the last chunks of one become durable", async () => {
    const { gateway, bytes, scope, settle, world, masters } = await start();
    const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "", client: "" };
    const { caller } = await settle(gateway.sessions.signIn(attempt, scope()));
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const write = bytes.write.bind(bytes);
    let writeCount = 0;
    bytes.write = async (source, in_) => {
      const isFirst = writeCount++ === 0;
      const written = await write(source, in_);
      if (isFirst) await held;
      return written;
    };
    const file = { parentId: 0n, name: "x", conflict: ConflictPolicy.FAIL, source: piecesOf(content) };
    const storing = gateway.drive.writeFile(caller, file, scope());
    await world.runFor(100);
    expect(writeCount).toBe(2);
    expect(masters.commands.filter((name) => name.includes("Upload"))).toEqual(["startUpload", "storeUploadPart"]);
    letGo();
    expect((await settle(storing)).sizeBytes).toBe(content.length);
  });
});

test("segments are the stream, cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 50 }),
      async (pieces, size) => {
        async function* stream(): AsyncGenerator<Uint8Array> {
          yield* pieces;
        }
        const source = new SegmentedSource(stream(), { segmentBytes: size, isHashed: true });
        const segments: Uint8Array[] = [];
        while (!source.isExhausted) {
          const read: Uint8Array[] = [];
          for await (const piece of source.next().source) read.push(piece);
          segments.push(concatBytes(read));
        }
        const whole = concatBytes(pieces);
        expect(concatBytes(segments)).toEqual(whole);
        expect(segments).toHaveLength(Math.max(1, Math.ceil(whole.length / size)));
        expect(segments.slice(0, -1).every((segment) => segment.length === size)).toBe(true);
        expect(source.sha256()).toEqual(new Uint8Array(createHash("sha256").update(whole).digest()));
      },
    ),
  );
});
