import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mustSkipBrowser, rowOf, type Visitor } from "./src/browser.ts";
import { startMemoryPage, type MemoryPage } from "./src/memory-page.ts";

describe.skipIf(mustSkipBrowser("files"))("files on the page", () => {
  let memory: MemoryPage;
  let visitor: Visitor;

  beforeAll(async () => {
    memory = await startMemoryPage();
  });
  afterAll(() => memory.stop());
  beforeEach(async () => {
    visitor = await memory.enter();
  });
  afterEach(async () => {
    expect(visitor.problems).toEqual([]);
    await visitor.context.close();
  });

  const childNames = () => memory.gateway.state.drive.children(1n).map((entry) => entry.name);

  test("a folder is made, opened, and left by its crumb", async () => {
    const { page } = visitor;
    await page.getByRole("navigation", { name: "Places" }).getByRole("button", { name: "New" }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await page.keyboard.type("Garden plans");
    await page.keyboard.press("Enter");
    await rowOf(page, "Garden plans").dblclick();
    await page.getByText("Nothing here yet").waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/f\/\d+$/);
    expect(await page.title()).toBe("Garden plans · Drive");
    await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "My files" }).click();
    await rowOf(page, "Garden plans").waitFor();
  });

  test("a taken folder name is said in the dialog and nothing happens", async () => {
    const { page } = visitor;
    await page.getByRole("navigation", { name: "Places" }).getByRole("button", { name: "New" }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await page.keyboard.type("Design");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("already in this folder").waitFor();
    await page.keyboard.press("Escape");
    expect(childNames().filter((name) => name === "Design")).toHaveLength(1);
  });

  test("renaming selects the stem, keeps the extension, and can be undone", async () => {
    const { page } = visitor;
    await rowOf(page, "budget.xlsx").click();
    await page.keyboard.press("F2");
    await page.keyboard.type("plan");
    await page.keyboard.press("Enter");
    await rowOf(page, "plan.xlsx").waitFor();
    await expect.poll(childNames).toContain("plan.xlsx");
    await page.getByRole("button", { name: "Undo" }).click();
    await rowOf(page, "budget.xlsx").waitFor();
    await expect.poll(childNames).toContain("budget.xlsx");
  });

  test("a refused rename puts the old name back and says why", async () => {
    const { page } = visitor;
    await rowOf(page, "server.ts").click();
    await page.keyboard.press("F2");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("notes.md");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("already in this folder").waitFor();
    await rowOf(page, "server.ts").waitFor();
    expect(childNames().filter((name) => name === "notes.md")).toHaveLength(1);
  });

  test("a name with a slash is refused in the field", async () => {
    const { page } = visitor;
    await rowOf(page, "server.ts").click();
    await page.keyboard.press("F2");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("a/b");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("cannot contain").waitFor();
    await page.keyboard.press("Escape");
    await rowOf(page, "server.ts").waitFor();
  });

  test("deleting offers undo; Ctrl+Z works too", async () => {
    const { page } = visitor;
    await rowOf(page, "cover letter.docx").click();
    await page.keyboard.press("Delete");
    await rowOf(page, "cover letter.docx").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await rowOf(page, "cover letter.docx").waitFor();
    await rowOf(page, "cover letter.docx").click();
    await page.keyboard.press("Delete");
    await rowOf(page, "cover letter.docx").waitFor({ state: "detached" });
    await page.keyboard.press("Control+z");
    await rowOf(page, "cover letter.docx").waitFor();
    await expect.poll(childNames).toContain("cover letter.docx");
  });

  test("the trash restores, and deletes for ever only after a question", async () => {
    const { page } = visitor;
    await rowOf(page, "IMG_2231.jpg").click();
    await rowOf(page, "IMG_2232.jpg").click({ modifiers: ["Control"] });
    await page.keyboard.press("Delete");
    await rowOf(page, "IMG_2232.jpg").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Trash" }).click();
    await page.getByRole("button", { name: "Restore IMG_2231.jpg" }).click();
    await expect.poll(childNames).toContain("IMG_2231.jpg");
    await page.getByRole("button", { name: "Delete IMG_2232.jpg for ever" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for ever" }).click();
    await page.getByText("IMG_2232.jpg", { exact: true }).waitFor({ state: "detached" });
    await expect
      .poll(() => [...memory.gateway.state.drive.entries.values()].some((entry) => entry.name === "IMG_2232.jpg"))
      .toBe(false);
  });

  test("a row is moved by dragging it onto a folder, and by the dialog", async () => {
    const { page } = visitor;
    await rowOf(page, "todo.txt").dragTo(rowOf(page, "Recipes"));
    await rowOf(page, "todo.txt").waitFor({ state: "detached" });
    await page.getByText("Moved todo.txt to Recipes").waitFor();
    await rowOf(page, "song idea.flac").click();
    await page.getByRole("button", { name: "Move to…" }).click();
    await page.getByRole("dialog").getByRole("treeitem", { name: "Music" }).click();
    await page.getByRole("button", { name: "Move to Music" }).click();
    await rowOf(page, "song idea.flac").waitFor({ state: "detached" });
    const folderOf = (name: string) => {
      const entry = [...memory.gateway.state.drive.entries.values()].find((one) => one.name === name);
      return memory.gateway.state.drive.get(entry?.parentId ?? 0n).name;
    };
    await expect.poll(() => [folderOf("todo.txt"), folderOf("song idea.flac")]).toEqual(["Recipes", "Music"]);
  });

  test("a file is downloaded byte for byte", async () => {
    const { page } = visitor;
    const { drive } = memory.gateway.state;
    const bytes = Buffer.from("every byte counts, äöü");
    drive.createFile(1n, "exact.txt", { bytes, conflict: 3 });
    await rowOf(page, "exact.txt").click();
    const download = page.waitForEvent("download");
    await page.keyboard.press("Enter");
    const path = await (await download).path();
    expect(await readFile(path)).toEqual(bytes);
  });

  test("a second tab and a live list: changes from elsewhere are seen within a second", async () => {
    const second = await memory.visit({ context: visitor.context });
    await second.page.goto("/");
    await rowOf(second.page, "notes.md").waitFor();
    await second.page.waitForTimeout(300);
    const { page } = visitor;
    await rowOf(page, "notes.md").click();
    await page.keyboard.press("F2");
    await page.keyboard.type("minutes");
    const startedMs = performance.now();
    await page.keyboard.press("Enter");
    await rowOf(second.page, "minutes.md").waitFor({ timeout: 1000 });
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(second.problems).toEqual([]);
  });

  test("all tabs share one change feed, and the next tab takes it over", async () => {
    const second = await memory.visit({ context: visitor.context });
    await second.page.goto("/");
    await rowOf(second.page, "notes.md").or(rowOf(second.page, "minutes.md")).waitFor();
    await expect.poll(() => memory.gateway.state.watcherCount).toBe(1);
    memory.gateway.state.drive.createFolder(1n, "Seen by both", true);
    await Promise.all(
      [visitor.page, second.page].map((page) => rowOf(page, "Seen by both").waitFor({ timeout: 1000 })),
    );
    await visitor.page.close();
    memory.gateway.state.drive.createFolder(1n, "Seen after the hand-over", true);
    await rowOf(second.page, "Seen after the hand-over").waitFor({ timeout: 5000 });
    await expect.poll(() => memory.gateway.state.watcherCount).toBe(1);
    expect(second.problems).toEqual([]);
  });

  test("a lost connection is shown, and what was missed is caught up", async () => {
    const { page } = visitor;
    const { gateway } = memory;
    await page.waitForTimeout(300);
    gateway.state.faults.isFeedDown = true;
    gateway.dropConnections();
    await page.getByText("Reconnecting…").waitFor();
    gateway.state.drive.createFolder(1n, "Made meanwhile", true);
    gateway.state.faults.isFeedDown = false;
    await rowOf(page, "Made meanwhile").waitFor({ timeout: 15_000 });
    await page.getByText("Reconnecting…").waitFor({ state: "detached" });
  });

  test("100,000 rows: true scrollbar, the end at once, few rows in the document and few requests", async () => {
    const { page } = visitor;
    const archive = [...memory.gateway.state.drive.entries.values()].find((entry) => entry.name === "Photo archive");
    await page.goto(`/f/${archive?.entryId ?? 0n}`);
    await rowOf(page, "photo 1.jpg").waitFor();
    await rowOf(page, "photo 1.jpg").click();
    const callsBefore = memory.gateway.state.calls;
    await page.keyboard.press("End");
    await rowOf(page, "photo 100000.jpg").waitFor({ timeout: 2000 });
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-name")))
      .toBe("photo 100000.jpg");
    expect(await page.getByRole("grid").getAttribute("aria-rowcount")).toBe("100001");
    const scroller = page.getByTestId("rows");
    expect(await scroller.evaluate((element) => element.scrollHeight)).toBeGreaterThan(3_999_000);
    for (let step = 0; step < 20; step++)
      await scroller.evaluate((element, top) => element.scrollTo(0, top), step * 200_000);
    await expect.poll(() => page.locator("[data-row]:not([aria-busy])").count()).toBeGreaterThan(15);
    expect(await page.locator("[data-row]").count()).toBeLessThanOrEqual(60);
    expect(memory.gateway.state.calls - callsBefore).toBeLessThan(60);
    await page.keyboard.press("Control+a");
    await page.getByText("100\u202f000 selected").first().waitFor();
  });

  test("a folder that is gone says so", async () => {
    const { page } = visitor;
    await page.goto("/f/999999");
    await page.getByText("This folder is not there any more").waitFor();
  });
});
