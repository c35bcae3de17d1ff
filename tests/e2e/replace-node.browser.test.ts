import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { MemoryFleet } from "../../packages/web/dev/memory-fleet.ts";
import { seriousFaults } from "./src/accessibility.ts";
import { mustSkipBrowser, type Visitor } from "./src/browser.ts";
import { chooseAction } from "./src/choose-action.ts";
import { startMemoryPage, type MemoryPage } from "./src/memory-page.ts";

describe.skipIf(mustSkipBrowser("replacing a node"))("replacing a node on the admin page", () => {
  let memory: MemoryPage;
  let visitor: Visitor;
  let page: Page;
  let fleet: MemoryFleet;

  beforeAll(async () => {
    memory = await startMemoryPage();
  });
  afterAll(() => memory.stop());
  beforeEach(async () => {
    fleet = memory.gateway.state.cluster.fleet;
    fleet.drainedPerLook = 0n;
    visitor = await memory.enter();
    page = visitor.page;
    page.setDefaultTimeout(30_000);
    await page.goto("/admin");
    await page.locator("[data-node='node-1']").waitFor();
  });
  afterEach(async () => {
    expect(visitor.problems).toEqual([]);
    await visitor.context.close();
  });

  const dialog = () => page.getByRole("dialog");
  const choose = (node: string, action: string) => chooseAction(page, node, action);

  test("a node is replaced: what would happen, then the command for the new machine", async () => {
    await choose("node-3", "Replace…");
    await dialog().getByText("A new node takes its name").waitFor();
    await dialog().getByText("No copies are touched by this.").waitFor();
    await dialog().getByRole("button", { name: "Make a join command" }).click();
    await dialog().getByTestId("join-command").waitFor();
    expect(fleet.orders.at(-1)).toMatchObject({ case: "issueJoinToken", value: { replacesNodeId: 3 } });
    await dialog().getByRole("button", { name: "Close" }).click();
    await page.getByText("replaces node-3").waitFor();
    fleet.setReplaced(3, 4);
    await page.locator("[data-task='node-3']").getByText("0 % · 120 of 120 copies left").waitFor();
    expect(await page.locator("[data-task='node-3']").getByRole("button").count()).toBe(0);
    fleet.tasks.pop();
    await page.getByRole("button", { name: "Revoke replaces node-3" }).click();
    await page.getByText("replaces node-3").waitFor({ state: "detached" });
  });

  test("a node is replaced here, by keyboard alone: the successor has its name, and its process is the one to stop", async () => {
    await choose("node-4", "Replace…");
    await dialog().getByLabel("Works for").waitFor();
    await dialog().getByLabel("On another machine").focus();
    await page.keyboard.press("ArrowDown");
    await dialog().getByText("No copies are touched by this.").waitFor();
    expect(await dialog().getByLabel("Works for").count()).toBe(0);
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    for (let presses = 0; presses < 10 && (await focused()) !== "Start replacement here"; presses++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await dialog().getByText("node-4 has joined and is live, as process node-5 on this machine.").waitFor();
    await dialog().getByText("node-4.old gives its copies away").waitFor();
    expect(fleet.orders.at(-1)).toMatchObject({ case: "issueJoinToken", value: { replacesNodeId: 4 } });
    await page.keyboard.press("Escape");
    await page.locator("[data-node='node-4']").getByText("attic").waitFor();
    await page.locator("[data-task='node-4.old']").getByText("0 % · 120 of 120 copies left").waitFor();
    await choose("node-4", "Stop its process…");
    await dialog().getByRole("button", { name: "Stop node-4" }).click();
    await page.getByText("its process node-5 on this machine is stopped").waitFor();
    await page.getByRole("button", { name: "Start node-4" }).click();
    await page.getByText("node-4 was started").waitFor();
    memory.gateway.state.cluster.setDeadNode(0);
    fleet.change("retired", { case: "removeNode", value: { nodeId: 4, isForced: true } as never });
    await page.getByRole("button", { name: "End process node-4" }).click();
    await page.getByRole("button", { name: "End process node-4" }).waitFor({ state: "detached" });
    expect(["node-4", "node-5"].map((name) => fleet.localNodes.get(name)?.state)).toEqual(["stopped", "running"]);
  });

  test("a replacement here that is refused says why; where no node can be started it is not offered", async () => {
    const nodesBefore = fleet.localNodes.size;
    await choose("node-1", "Replace…");
    await dialog().getByLabel("On this machine").check();
    await dialog().getByText("No copies are touched by this.").waitFor();
    fleet.setReplaced(1, 2);
    await dialog().getByRole("button", { name: "Start replacement here" }).click();
    await dialog().getByRole("alert").getByText("node-1 was replaced already").waitFor();
    expect(fleet.localNodes.size).toBe(nodesBefore);
    fleet.tasks.pop();
    fleet.isLocalAvailable = false;
    await dialog().getByLabel("On this machine").waitFor({ state: "detached" });
    await dialog().getByRole("button", { name: "Make a join command" }).waitFor();
    fleet.isLocalAvailable = true;
  });

  for (const theme of ["light", "dark"] as const) {
    test(`no serious accessibility fault in ${theme}, nor anything beyond 360 px, before and after the start`, async () => {
      const phone = await memory.enter({ theme, width: 360, height: 740, isTouch: true });
      const { page: small } = phone;
      await small.goto("/admin");
      const successor = `node-${fleet.nodes.length + 1}`;
      const fits = async () => {
        await small.waitForTimeout(250);
        expect(await seriousFaults(small, "[role=dialog]")).toEqual([]);
        const beyond = await small.evaluate(() =>
          [...document.querySelectorAll("[role=dialog], [role=dialog] *")]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => element.textContent),
        );
        expect([await small.evaluate(() => document.documentElement.scrollWidth - innerWidth), beyond]).toEqual([
          0,
          [],
        ]);
      };
      await chooseAction(small, "node-3", "Replace…");
      await small.getByLabel("On this machine").tap();
      await small.getByText("All copies can be had again").waitFor();
      await fits();
      const start = small.getByRole("button", { name: "Start replacement here" });
      const box = await start.boundingBox();
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(740);
      await start.tap();
      await small.getByText(`node-3 has joined and is live, as process ${successor}`).waitFor();
      await fits();
      await small.getByRole("button", { name: "Close" }).tap();
      await small.locator("[data-task='node-3.old']").waitFor();
      expect(await seriousFaults(small)).toEqual([]);
      expect(phone.problems).toEqual([]);
      await phone.context.close();
      const retired = fleet.nodes.findLast((node) => node.name === "node-3.old");
      fleet.change(`retired ${theme}`, {
        case: "removeNode",
        value: { nodeId: retired?.nodeId, isForced: true } as never,
      });
    });
  }
});
