import { execFileSync } from "node:child_process";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@holdfast/observability";
import { createNodeClock, createNodeDisk, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { describe, expect, it } from "vitest";
import { testLimits } from "../testing/store-in-world.ts";
import { describeChunkStore, RecordingInventory, sampleBytes, writeChunk } from "./chunk-store.contract.ts";
import { openFileChunkStore } from "./file-chunk-store.ts";
import type { FileChunkStore } from "./file-chunk-store.ts";

async function openIn(dataDirectory: string, inventory = new RecordingInventory()): Promise<FileChunkStore> {
  const ports = {
    disk: createNodeDisk(),
    clock: createNodeClock(),
    timers: createNodeTimers(),
    random: createNodeRandom(),
  };
  const limits = { ...testLimits, spaceCheckIntervalMs: 1000 };
  return openFileChunkStore({
    ...ports,
    logger: silentLogger,
    dataDirectory,
    clusterId: () => "c1",
    listener: inventory,
    limits,
  });
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-store-"));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function flipBit(path: string, offsetBytes: number): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offsetBytes);
  await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, offsetBytes);
  await file.close();
}

describeChunkStore("FileChunkStore on a real disk", (body) =>
  inDirectory(async (directory) => {
    const inventory = new RecordingInventory();
    const store = await openIn(directory, inventory);
    const fileOf = (chunkId: number): string =>
      join(directory, "chunks/00/00", `${chunkId.toString(16).padStart(16, "0")}.1`);
    await body({ store, inventory, damage: ({ chunkId }, offsetBytes) => flipBit(fileOf(chunkId), offsetBytes) });
    await store.close();
  }),
);

function runCommand(name: string, parameters: readonly string[]): void {
  execFileSync(name, parameters, { stdio: "ignore" });
}

/** Whether this machine lets us mount a small file system. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    runCommand("unshare", ["--mount", "true"]);
    return true;
  } catch {
    return false;
  }
}

describe("FileChunkStore on a small file system", () => {
  // Without root the test is shown as skipped; the same behaviour is proven on the simulated disk.
  it.skipIf(!canMount())(
    "fills it, says noSpace, keeps what it acknowledged, and takes chunks again when there is room",
    () =>
      inDirectory(async (directory) => {
        runCommand("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", directory]);
        try {
          const store = await openIn(directory);
          const filler = join(directory, "filler");
          await writeFile(filler, Buffer.alloc(4 * 1024 * 1024));
          // The store's last look at the free space is older than the filler: the file system itself has to refuse.
          let written = 0;
          const failure = await (async () => {
            for (; written < 20; written++) await writeChunk(store, written + 1, sampleBytes(1_000_000));
          })().catch((error: unknown) => error);
          expect(failure).toMatchObject({ kind: "noSpace" });
          expect(written).toBeGreaterThan(1);
          expect(store.status()).toMatchObject({ diskState: "full", chunkCount: written, activeWriteCount: 0 });
          expect(await readdir(join(directory, "tmp"))).toEqual([]);
          for (let chunkId = 1; chunkId <= written; chunkId++)
            expect(await store.verify({ chunkId, generation: 1 })).toBe(true);
          await rm(filler);
          await expect.poll(() => store.status().diskState, { timeout: 5000 }).toBe("ok");
          await writeChunk(store, 100, sampleBytes(1_000_000));
          await store.close();
        } finally {
          runCommand("umount", [directory]);
        }
      }),
  );
});
