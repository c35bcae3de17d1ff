import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimDataDirectory } from "./data-directory.ts";

const wanted = { masters: 3, chunkSizeBytes: 4_194_304 };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "holdfast-data-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the data directory", () => {
  it("keeps its identity over claims", async () => {
    const first = await claimDataDirectory(path.join(folder, "a/b"), wanted);
    await first.release();
    const second = await claimDataDirectory(path.join(folder, "a/b"), wanted);
    expect(second.identity).toEqual(first.identity);
    expect(first.identity.clusterId).toMatch(/^[0-9a-f]{32}$/);
    await second.release();
  });
  it("refuses another number of masters, and says what to do", async () => {
    await (await claimDataDirectory(folder, wanted)).release();
    await expect(claimDataDirectory(folder, { ...wanted, masters: 5 })).rejects.toThrow("Start with --masters 3");
  });
  it("refuses a damaged or newer identity and leaves it as it is", async () => {
    for (const text of ["not json", '{"format":2}', '{"format":1,"clusterId":"short"}']) {
      await writeFile(path.join(folder, "holdfast.json"), text);
      await expect(claimDataDirectory(folder, wanted)).rejects.toMatchObject({ kind: "precondition" });
      expect(await readFile(path.join(folder, "holdfast.json"), "utf8")).toBe(text);
    }
  });
  it("takes over a lock whose owner is gone", async () => {
    const claim = await claimDataDirectory(folder, wanted);
    await writeFile(path.join(claim.runPath, "supervisor.pid"), "999999999\n");
    await (await claimDataDirectory(folder, wanted)).release();
  });
});
