import { HoldfastError } from "@holdfast/base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Disk } from "../ports/disk.ts";

/** A disk under test with an empty folder on it. */
export interface DiskHarness {
  readonly disk: Disk;
  /** An existing, empty folder. */
  readonly folder: string;
  stop(): Promise<void>;
}

async function kindOf(promise: Promise<unknown>): Promise<string> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(HoldfastError);
  // The line above made sure.
  return (outcome as HoldfastError).kind;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content, "latin1"));

/** What every version of the Disk port promises; what a power cut loses is tested where there are power cuts. */
export function diskContract(name: string, start: () => Promise<DiskHarness>): void {
  describe(`disk contract: ${name}`, () => {
    let harness: DiskHarness;
    let disk: Disk;
    const at = (path: string): string => `${harness.folder}/${path}`;
    beforeEach(async () => {
      harness = await start();
      disk = harness.disk;
    });
    afterEach(() => harness.stop());

    const write = async (path: string, content: string): Promise<void> => {
      const file = await disk.open(at(path), "openOrCreate");
      await file.write(bytes(content), 0);
      await file.syncData();
      await file.close();
    };

    test("what was written is read, at its place", async () => {
      const file = await disk.open(at("a"), "create");
      await file.write(bytes("hello world"), 0);
      await file.write(bytes("W"), 6);
      expect(text(await file.read(6, 5))).toBe("World");
      expect(text(await file.read(9, 100))).toBe("ld");
      expect(text(await file.read(100, 10))).toBe("");
      expect(await file.size()).toBe(11);
      await file.syncData();
      await file.close();
      expect(text(await disk.readFile(at("a")))).toBe("hello World");
    });

    test("what is read is a plain array: its slice is a copy", async () => {
      const file = await disk.open(at("plain"), "create");
      await file.write(bytes("abc"), 0);
      expect(Object.getPrototypeOf(await file.read(0, 3))).toBe(Uint8Array.prototype);
      await file.close();
      expect(Object.getPrototypeOf(await disk.readFile(at("plain")))).toBe(Uint8Array.prototype);
    });

    test("parts are written one after another, empty ones and more than a system call takes included", async () => {
      const parts = Array.from({ length: 3000 }, (_, index) => bytes(index % 7 === 0 ? "" : `${index},`));
      const file = await disk.open(at("a"), "create");
      await file.write(bytes("xx"), 0);
      await file.writeParts(parts, 2);
      expect(text(await file.read(0, 100_000))).toBe(`xx${parts.map(text).join("")}`);
      await file.close();
    });

    test("what is written durably is read like everything else, also under a new name and in many parts", async () => {
      const parts = Array.from({ length: 2000 }, (_, index) => bytes(`${index},`));
      const file = await disk.open(at("a"), "create");
      await file.writePartsDurably([bytes("he"), bytes(""), bytes("llo")], 0);
      await disk.rename(at("a"), at("b"));
      await write("a", "another");
      await file.writePartsDurably([bytes("y!")], 4);
      await file.writePartsDurably(parts, 6);
      await file.write(bytes("H"), 0);
      expect(text(await file.read(0, 100_000))).toBe(`Helly!${parts.map(text).join("")}`);
      await file.close();
      expect(await kindOf(file.writePartsDurably([bytes("x")], 0))).toBe("precondition");
      expect(text(await disk.readFile(at("a")))).toBe("another");
      expect(text(await disk.readFile(at("b")))).toBe(`Helly!${parts.map(text).join("")}`);
    });

    test("a gap reads as zeros; truncate cuts and extends", async () => {
      const file = await disk.open(at("a"), "create");
      await file.write(bytes("ab"), 3);
      expect(text(await file.read(0, 9))).toBe("\0\0\0ab");
      await file.truncate(4);
      expect(await file.size()).toBe(4);
      await file.truncate(6);
      expect(text(await file.read(0, 9))).toBe("\0\0\0a\0\0");
      await file.close();
    });

    test("open modes: create refuses what exists, read and readWrite what does not, openOrCreate neither", async () => {
      expect(await kindOf(disk.open(at("a"), "read"))).toBe("notFound");
      expect(await kindOf(disk.open(at("a"), "readWrite"))).toBe("notFound");
      await write("a", "1");
      expect(await kindOf(disk.open(at("a"), "create"))).toBe("precondition");
      const file = await disk.open(at("a"), "openOrCreate");
      expect(text(await file.read(0, 9))).toBe("1");
      await file.close();
      expect(await kindOf(disk.open(at("no/such/folder"), "create"))).toBe("notFound");
    });

    test("a closed file refuses; closing twice is fine", async () => {
      const file = await disk.open(at("a"), "create");
      await file.close();
      await file.close();
      expect(await kindOf(file.read(0, 1))).toBe("precondition");
      expect(await kindOf(file.write(bytes("x"), 0))).toBe("precondition");
    });

    test("rename moves over what is there; the open file goes on", async () => {
      await write("a", "new");
      await write("b", "old");
      const file = await disk.open(at("a"), "readWrite");
      await disk.rename(at("a"), at("b"));
      await file.write(bytes("N"), 0);
      await file.close();
      expect(text(await disk.readFile(at("b")))).toBe("New");
      expect(await disk.stat(at("a"))).toBeUndefined();
      expect(await kindOf(disk.rename(at("a"), at("c")))).toBe("notFound");
    });

    test("folders: made with those above, listed in order, a missing one is not found", async () => {
      await disk.makeDirectory(at("x/y/z"));
      await disk.makeDirectory(at("x/y"));
      for (const name of ["b", "a", "B", "é"]) await write(`x/y/${name}`, name);
      expect(await disk.list(at("x/y"))).toEqual(["B", "a", "b", "z", "é"]);
      expect(await disk.stat(at("x/y"))).toMatchObject({ kind: "directory" });
      expect(await disk.stat(at("x/y/a"))).toEqual({ kind: "file", sizeBytes: 1 });
      expect(await kindOf(disk.list(at("nowhere")))).toBe("notFound");
      await disk.syncDirectory(at("x/y"));
      expect(await kindOf(disk.syncDirectory(at("nowhere")))).toBe("notFound");
    });

    test("remove takes a file once", async () => {
      await write("a", "1");
      await disk.remove(at("a"));
      expect(await kindOf(disk.remove(at("a")))).toBe("notFound");
      expect(await kindOf(disk.readFile(at("a")))).toBe("notFound");
      expect(await disk.list(harness.folder)).toEqual([]);
    });

    test("an empty file and an empty write", async () => {
      const file = await disk.open(at("a"), "create");
      await file.write(new Uint8Array(0), 0);
      await file.writeParts([], 0);
      await file.close();
      expect((await disk.readFile(at("a"))).length).toBe(0);
    });

    test("a folder is locked for one owner at a time", async () => {
      const lock = await disk.lockDirectory(harness.folder);
      expect(await kindOf(disk.lockDirectory(harness.folder))).toBe("precondition");
      await lock.release();
      await lock.release();
      const again = await disk.lockDirectory(harness.folder);
      await again.release();
      expect(await disk.list(harness.folder)).toEqual([]);
      expect(await kindOf(disk.lockDirectory(at("nowhere")))).toBe("notFound");
    });

    test("space is told", async () => {
      const { totalBytes, freeBytes } = await disk.space(harness.folder);
      expect(totalBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(totalBytes);
    });
  });
}
