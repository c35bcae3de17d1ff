import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dropFiles, dropPaths, mustSkipBrowser, rowOf, type Visitor } from "./src/browser.ts";
import { startMemoryPage, type MemoryPage } from "./src/memory-page.ts";

const sha256 = (bytes: Uint8Array | undefined) =>
  createHash("sha256")
    .update(bytes ?? new Uint8Array())
    .digest("hex");

describe.skipIf(mustSkipBrowser("uploads"))("uploads on the page", () => {
  let memory: MemoryPage;
  let visitor: Visitor;
  let folder: string;

  beforeAll(async () => {
    memory = await startMemoryPage();
    folder = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
  });
  afterAll(async () => {
    await memory.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    visitor = await memory.enter();
  });
  afterEach(async () => {
    memory.gateway.state.faults.uploadBytesPerSecond = 0;
    expect(visitor.problems).toEqual([]);
    await visitor.context.close();
  });

  const stored = (name: string) => {
    const entry = [...memory.gateway.state.drive.entries.values()].find((one) => one.name === name);
    return entry === undefined ? undefined : memory.gateway.state.drive.bytes.get(entry.entryId);
  };

  async function choose(page: Page, files: string | string[]): Promise<void> {
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("navigation", { name: "Places" }).getByRole("button", { name: "New" }).click();
    await page.getByRole("menuitem", { name: "Upload files" }).click();
    await (await chooser).setFiles(files);
  }

  test("files chosen by the button appear in the list, whatever their names", async () => {
    const names = [
      "plain.txt",
      "mit Leerzeichen und Umlaut ä.txt",
      "emoji 🎉.txt",
      'quote\'s "here".txt',
      ".hidden",
      "empty",
    ];
    for (const name of names) await writeFile(join(folder, name), name === "empty" ? "" : `content of ${name}`);
    await choose(
      visitor.page,
      names.map((name) => join(folder, name)),
    );
    await visitor.page.getByText(`${names.length} files uploaded`).waitFor();
    for (const name of names)
      expect(stored(name.normalize("NFC"))?.length).toBe(
        name === "empty" ? 0 : Buffer.byteLength(`content of ${name}`),
      );
    await rowOf(visitor.page, "emoji 🎉.txt").waitFor();
  });

  test("files dropped on the list are uploaded", async () => {
    await dropFiles(visitor.page, [
      { name: "dropped one.txt", text: "1" },
      { name: "dropped two.txt", text: "22" },
    ]);
    await rowOf(visitor.page, "dropped two.txt").waitFor();
    await expect.poll(() => stored("dropped two.txt")?.length).toBe(2);
  });

  test("a dropped folder keeps its tree, empty folders too", async () => {
    await mkdir(join(folder, "tree/a/b"), { recursive: true });
    await mkdir(join(folder, "tree/nothing"));
    for (let number = 0; number < 130; number++)
      await writeFile(join(folder, `tree/a/b/file ${number}.txt`), `${number}`);
    await writeFile(join(folder, "tree/top.txt"), "top");
    await dropPaths(visitor.page, [join(folder, "tree")]);
    await visitor.page.getByText("131 files uploaded").waitFor({ timeout: 20_000 });
    const { drive } = memory.gateway.state;
    const child = (id: bigint, name: string) => drive.children(id).find((entry) => entry.name === name)?.entryId ?? 0n;
    const tree = child(1n, "tree");
    expect(drive.children(tree).map((entry) => entry.name)).toEqual(["a", "nothing", "top.txt"]);
    expect(drive.children(child(child(tree, "a"), "b"))).toHaveLength(130);
  });

  test("a large file goes in parts, shows progress, pauses, resumes, and arrives byte for byte", async () => {
    const bytes = randomBytes(30_000_001);
    await writeFile(join(folder, "large.bin"), bytes);
    memory.gateway.state.faults.uploadBytesPerSecond = 6_000_000;
    const { page } = visitor;
    await choose(page, join(folder, "large.bin"));
    const row = page.locator("[data-status][data-name='large.bin']");
    const percent = async () => Number(await row.getByRole("progressbar").getAttribute("aria-valuenow"));
    await expect.poll(percent).toBeGreaterThan(5);
    await row.getByRole("button", { name: "Pause large.bin" }).click();
    await row.getByText("Paused").waitFor();
    memory.gateway.state.faults.uploadBytesPerSecond = 0;
    await row.getByRole("button", { name: "Resume large.bin" }).click();
    await page.getByText("1 file uploaded").waitFor({ timeout: 20_000 });
    expect(sha256(stored("large.bin"))).toBe(sha256(bytes));
  });

  test("answers that fail are tried again without a word from the person", async () => {
    memory.gateway.state.faults.failUploadsCount = 2;
    await writeFile(join(folder, "stubborn.txt"), "third time lucky");
    await choose(visitor.page, join(folder, "stubborn.txt"));
    await visitor.page.getByText("Trying again soon").waitFor();
    await visitor.page.getByText("1 file uploaded").waitFor({ timeout: 20_000 });
    expect(stored("stubborn.txt")?.toString()).toBe("third time lucky");
  });

  test("the same file dropped again after a reload continues where it stopped", async () => {
    const bytes = randomBytes(40_000_000);
    await writeFile(join(folder, "resumed.bin"), bytes);
    const { page } = visitor;
    memory.gateway.state.faults.uploadBytesPerSecond = 8_000_000;
    await choose(page, join(folder, "resumed.bin"));
    const uploadParts = () =>
      [...memory.gateway.state.uploads.values()].find((upload) => upload.request.name === "resumed.bin")?.parts.size ??
      0;
    await expect.poll(uploadParts, { timeout: 10_000 }).toBeGreaterThan(0);
    page.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
    await page.reload();
    const partsBefore = uploadParts();
    memory.gateway.state.faults.uploadBytesPerSecond = 0;
    memory.gateway.state.partsReceived = 0;
    await rowOf(page, "notes.md").waitFor();
    await choose(page, join(folder, "resumed.bin"));
    await page.getByText("1 file uploaded").waitFor({ timeout: 20_000 });
    expect(sha256(stored("resumed.bin"))).toBe(sha256(bytes));
    expect(memory.gateway.state.partsReceived).toBe(5 - partsBefore);
  });

  test("taken names are asked about once; the rest goes on", async () => {
    const { page } = visitor;
    await dropFiles(page, [
      { name: "notes.md", text: "newer" },
      { name: "todo.txt", text: "newer too" },
      { name: "unrelated.txt", text: "u" },
    ]);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("2 names are taken").waitFor();
    await expect.poll(() => stored("unrelated.txt")?.length).toBe(1);
    await dialog.getByLabel("What to do with todo.txt").selectOption("replace");
    await dialog.getByRole("button", { name: "Apply" }).click();
    await rowOf(page, "notes (2).md").waitFor();
    await expect.poll(() => stored("todo.txt")?.toString()).toBe("newer too");
    expect(stored("notes (2).md")?.toString()).toBe("newer");
  });

  test("a cancelled upload leaves nothing behind", async () => {
    const { page } = visitor;
    memory.gateway.state.faults.uploadBytesPerSecond = 1_000_000;
    await writeFile(join(folder, "unwanted.bin"), randomBytes(20_000_000));
    await choose(page, join(folder, "unwanted.bin"));
    await page.getByRole("button", { name: "Cancel unwanted.bin" }).click();
    await expect
      .poll(() => [...memory.gateway.state.uploads.values()].some((upload) => upload.request.name === "unwanted.bin"))
      .toBe(false);
    expect(stored("unwanted.bin")).toBeUndefined();
  });
});
