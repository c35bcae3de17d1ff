import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type LocalCluster, startLocalCluster } from "@holdfast/tests-conformance";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dropPaths, launchBrowser, mustSkipBrowser, openVisitor, rowOf, type Visitor } from "./src/browser.ts";

const account = { email: "grace@example.org", password: "a long passphrase" } as const;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** One story on a whole cluster of real processes: from the set-up link to files that survive the loss of the leader. */
describe.skipIf(mustSkipBrowser("a real cluster"))("the page on a real cluster", () => {
  let cluster: LocalCluster;
  let browser: Browser;
  let visitor: Visitor;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "holdfast-e2e-"));
    cluster = await startLocalCluster({ isWithoutUser: true });
    browser = await launchBrowser();
    visitor = await openVisitor(browser, { url: cluster.origin });
  });
  afterAll(async () => {
    await browser.close();
    await cluster.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  async function downloaded(name: string): Promise<Buffer> {
    const { page } = visitor;
    await rowOf(page, name).click({ button: "right" });
    const arriving = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "Download" }).click();
    const file = await (await arriving).path();
    return readFile(file);
  }

  test("the set-up link makes the first account and signs it in; it works once", async () => {
    const link = /link works once\): (\S+)/.exec(cluster.output())?.[1] ?? "";
    const { page } = visitor;
    await page.goto(link);
    await page.getByLabel("E-mail").fill(account.email);
    await page
      .getByLabel(/^Password/)
      .first()
      .fill(account.password);
    const repeat = page.getByLabel(/repeat|again|confirm/i);
    if ((await repeat.count()) > 0) await repeat.fill(account.password);
    await page.getByRole("button", { name: /create|make|set up/i }).click();
    await page.getByRole("grid").waitFor();
    const second = await openVisitor(browser, { url: cluster.origin });
    await second.page.goto(link);
    await second.page.getByLabel("E-mail").fill("mallory@example.org");
    await second.page
      .getByLabel(/^Password/)
      .first()
      .fill("another passphrase");
    await second.page.getByRole("button", { name: /create|make|set up/i }).click();
    await second.page.getByRole("alert").first().waitFor();
    await second.context.close();
  });

  test("files and folders that are dropped arrive byte for byte, whatever their names", async () => {
    const { page } = visitor;
    const files = new Map([
      ["photo 1.jpg", randomBytes(300_000)],
      ["Überraschung 🎈.txt", Buffer.from("hello")],
      ["video.mp4", randomBytes(20_000_000)],
      ["empty", Buffer.alloc(0)],
    ]);
    await mkdir(path.join(folder, "album", "raw"), { recursive: true });
    await writeFile(path.join(folder, "album", "raw", ".hidden"), "inside");
    for (const [name, bytes] of files) await writeFile(path.join(folder, name), bytes);
    await dropPaths(page, [...[...files.keys()].map((name) => path.join(folder, name)), path.join(folder, "album")]);
    for (const name of files.keys()) await rowOf(page, name).waitFor({ timeout: 60_000 });
    await page.getByText("5 files uploaded").waitFor({ timeout: 60_000 });
    for (const [name, bytes] of files) expect([name, sha256(await downloaded(name))]).toEqual([name, sha256(bytes)]);
  });

  test("a second tab sees a rename without a reload", async () => {
    const { page, context } = visitor;
    const second = await openVisitor(browser, { url: cluster.origin, context });
    await second.page.goto("/");
    await rowOf(second.page, "photo 1.jpg").waitFor();
    await rowOf(page, "photo 1.jpg").click();
    await page.keyboard.press("F2");
    await page.keyboard.type("sunrise");
    await page.keyboard.press("Enter");
    await rowOf(second.page, "sunrise.jpg").waitFor({ timeout: 3_000 });
    await second.page.close();
  });

  test("an upload that begins as the leader dies ends well", async () => {
    const { page } = visitor;
    const bytes = randomBytes(30_000_000);
    await writeFile(path.join(folder, "late.bin"), bytes);
    await dropPaths(page, [path.join(folder, "late.bin")]);
    for (const name of ["master-1", "master-2", "master-3"]) {
      const pid = await cluster.pid(name);
      if (pid !== undefined) {
        await cluster.kill(name);
        break;
      }
    }
    await rowOf(page, "late.bin").waitFor({ timeout: 90_000 });
    expect(sha256(await downloaded("late.bin"))).toBe(sha256(bytes));
  });

  test("the admin page shows masters and nodes", async () => {
    const { page } = visitor;
    await page.goto("/admin");
    for (const name of ["master-1", "master-2", "master-3", "node-1", "node-2", "node-3", "node-4"]) {
      await page.getByText(name, { exact: true }).first().waitFor();
    }
    await page
      .getByText(/\d+ (files|chunks)|verified|copies/)
      .first()
      .waitFor();
    expect(visitor.problems).toEqual([]);
  });
});
