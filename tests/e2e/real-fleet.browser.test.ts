import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CommandLine, startLocalCluster, testUser, type LocalCluster } from "@holdfast/tests-conformance";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, mustSkipBrowser, openVisitor, signIn, type Visitor } from "./src/browser.ts";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** The levers on real processes: a node that is started here takes copies, is drained and leaves; files stay whole. */
describe.skipIf(mustSkipBrowser("a real fleet"))("the admin page on a real cluster", () => {
  let cluster: LocalCluster;
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;
  let holdfast: CommandLine;
  let folder: string;
  const content = randomBytes(60_000_000);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "holdfast-fleet-"));
    cluster = await startLocalCluster();
    holdfast = new CommandLine(path.join(folder, "profile"));
    const login = ["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"];
    await holdfast.ok(login, { input: testUser.password });
    await writeFile(path.join(folder, "kept.bin"), content);
    await holdfast.ok(["put", path.join(folder, "kept.bin"), "/kept.bin"]);
    browser = await launchBrowser();
    visitor = await openVisitor(browser, { url: cluster.origin });
    page = visitor.page;
    page.setDefaultTimeout(60_000);
    await signIn(page, testUser);
    await page.goto("/admin");
  });
  afterAll(async () => {
    expect(visitor.problems).toEqual([]);
    await browser.close();
    await cluster.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  const dialog = () => page.getByRole("dialog");

  async function choose(node: string, action: string): Promise<void> {
    await page.getByRole("button", { name: `Actions on ${node}` }).click();
    await page.getByRole("menuitem", { name: action }).click();
    await dialog().getByText("All copies can be had again").waitFor();
  }

  test("a node is started here and becomes live", async () => {
    await page.getByRole("button", { name: "Add a node" }).click();
    await dialog().getByLabel("On this machine").check();
    await dialog().getByRole("button", { name: "Start a node here" }).click();
    await dialog().getByText("node-5 has joined and is live.").waitFor();
    await dialog().getByRole("button", { name: "Close" }).click();
    await page
      .locator("[data-node='node-5']")
      .getByText(/● live$/)
      .waitFor();
    expect(await cluster.pid("node-5")).toBeGreaterThan(0);
  });

  test("an old node is drained with its progress shown, and removed; the file is whole", async () => {
    await choose("node-2", "Drain…");
    await dialog().getByRole("button", { name: "Drain node-2" }).click();
    const task = page.locator("[data-task='node-2']");
    await task.getByText("Drained: it holds nothing that is needed.").waitFor({ timeout: 180_000 });
    await task.getByRole("button", { name: "Remove node-2…" }).click();
    await dialog().getByText("All copies can be had again").waitFor();
    await dialog().getByLabel("Type node-2 to go on").fill("node-2");
    await dialog().getByRole("button", { name: "Remove for ever" }).click();
    await page.locator("[data-node='node-2']").waitFor({ state: "detached" });
    await holdfast.ok(["admin", "health", "--wait", "--timeout", "120s", "--strict"]);
    const { stdout } = await holdfast.ok(["get", "/kept.bin", "-"]);
    expect(sha256(stdout)).toBe(sha256(content));
    const { nodes } = (await holdfast.ok(["admin", "status", "--json"])).json<{ nodes: { name: string }[] }>();
    expect(nodes.map(({ name }) => name).sort()).toEqual(["node-1", "node-3", "node-4", "node-5"]);
  });

  test("a node is replaced here: the successor has its name and copies, the old one goes by itself; the file is whole", async () => {
    const nodesNow = async () =>
      (await holdfast.ok(["admin", "status", "--json"])).json<{ nodes: { name: string; nodeId: number }[] }>().nodes;
    const idOf = async (name: string) => (await nodesNow()).find((node) => node.name === name)?.nodeId;
    const oldId = await idOf("node-1");
    await choose("node-1", "Replace…");
    await dialog().getByLabel("On this machine").check();
    await dialog().getByRole("button", { name: "Start replacement here" }).click();
    await dialog().getByText("node-1 has joined and is live, as process node-6 on this machine.").waitFor();
    await dialog().getByRole("button", { name: "Close" }).click();
    await page.locator("[data-node='node-1']").waitFor();
    await page.locator("[data-node='node-1.old']").waitFor({ state: "detached", timeout: 180_000 });
    expect(await idOf("node-1")).not.toBe(oldId);
    await page.getByRole("button", { name: "End process node-1" }).click();
    await expect.poll(() => cluster.pid("node-1"), { timeout: 20_000 }).toBeUndefined();
    expect(await cluster.pid("node-6")).toBeGreaterThan(0);
    await holdfast.ok(["admin", "health", "--wait", "--timeout", "120s", "--strict"]);
    const { stdout } = await holdfast.ok(["get", "/kept.bin", "-"]);
    expect(sha256(stdout)).toBe(sha256(content));
    expect((await nodesNow()).map(({ name }) => name).sort()).toEqual(["node-1", "node-3", "node-4", "node-5"]);
  });

  test("a join command is made for another machine; the command line sees it and revokes it", async () => {
    await page.getByRole("button", { name: "Add a node" }).click();
    await dialog().getByLabel("For whom").fill("attic");
    await dialog().getByRole("button", { name: "Make a join command" }).click();
    await dialog().getByTestId("join-command").getByText("npx holdfast node start --join hfj_").waitFor();
    await dialog().getByRole("button", { name: "Close" }).click();
    const listed = (await holdfast.ok(["admin", "node", "join-token", "ls", "--json"])).json<{
      joinTokens: { joinTokenId: number; label: string }[];
    }>();
    expect(listed.joinTokens.map(({ label }) => label)).toEqual(["replaces node-1", "attic"]);
    await holdfast.ok(["admin", "node", "join-token", "revoke", "--all"]);
    await page.getByText("unused, valid for").waitFor({ state: "detached" });
  });

  test("a drill is felt, marked as injected, and over at once when it is stopped", async () => {
    await choose("node-3", "Failure drill…");
    await dialog().getByRole("button", { name: "Start the drill" }).click();
    await page.getByTestId("countdown").waitFor();
    const row = page.locator("[data-node='node-3']");
    await row.getByText(/suspect|dead/).waitFor();
    await page.locator("li", { hasText: "DrillStarted" }).getByText("injected").waitFor();
    await page.getByRole("button", { name: "Stop now" }).click();
    await page.getByTestId("countdown").waitFor({ state: "detached" });
    await row.getByText(/● live$/).waitFor();
  });
});
