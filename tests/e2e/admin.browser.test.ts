import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { MemoryFleet } from "../../packages/web/dev/memory-fleet.ts";
import { seriousFaults } from "./src/accessibility.ts";
import { mustSkipBrowser, type Visitor } from "./src/browser.ts";
import { chooseAction } from "./src/choose-action.ts";
import { startMemoryPage, type MemoryPage } from "./src/memory-page.ts";

describe.skipIf(mustSkipBrowser("admin"))("the levers of the admin page", () => {
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
    visitor = await memory.enter();
    page = visitor.page;
    page.setDefaultTimeout(60_000);
    await page.getByRole("link", { name: "Admin" }).click();
    await page.locator("[data-node='node-1']").waitFor();
  });
  afterEach(async () => {
    expect(visitor.problems).toEqual([]);
    await visitor.context.close();
    memory.gateway.state.faults.latencyMs = 0;
  });

  const dialog = () => page.getByRole("dialog");
  const orderKinds = () => fleet.orders.map((order) => order.case);

  const choose = (node: string, action: string) => chooseAction(page, node, action);

  test("a drain shows what would happen before its button works, then its progress, and can be cancelled", async () => {
    memory.gateway.state.faults.latencyMs = 3000;
    fleet.drainedPerLook = 2n;
    await choose("node-2", "Drain…");
    const button = dialog().getByRole("button", { name: "Drain node-2" });
    await dialog().getByText("Computing…").waitFor();
    expect(await button.isDisabled()).toBe(true);
    await dialog().getByText("930 chunks drop to 2 copies, none becomes unreadable.").waitFor();
    memory.gateway.state.faults.latencyMs = 0;
    await dialog().getByLabel(/^Why/).fill("old disks");
    expect(orderKinds()).toEqual([]);
    await button.click();
    await dialog().waitFor({ state: "detached" });
    expect(fleet.orders.at(-1)).toMatchObject({ case: "drainNode", value: { nodeId: 2, reason: "old disks" } });
    const task = page.locator("[data-task='node-2']");
    const percent = async () => Number(await task.getByRole("progressbar").getAttribute("aria-valuenow"));
    await expect.poll(percent, { timeout: 5000 }).toBeGreaterThan(2);
    await task.getByText("“old disks”").waitFor();
    const running = fleet.tasks[0];
    if (running !== undefined) running.blockedReasons = ["There is no room on the other nodes."];
    await task.getByText("There is no room on the other nodes.").waitFor();
    await task.getByRole("button", { name: "Cancel drain…" }).click();
    await dialog().getByRole("button", { name: "Cancel drain" }).click();
    await task.waitFor({ state: "detached" });
    expect(orderKinds()).toEqual(["drainNode", "activateNode"]);
  });

  test("a refusal is said in words and keeps the button off; removing needs a drain and the node's name", async () => {
    await choose("node-4", "Remove…");
    await dialog().getByRole("alert").getByText("node-4 still holds copies that are needed. Drain it first.").waitFor();
    expect(await dialog().getByRole("button", { name: "Remove for ever" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    fleet.setDrained(4);
    await choose("node-4", "Remove…");
    const remove = dialog().getByRole("button", { name: "Remove for ever" });
    const word = dialog().getByLabel("Type node-4 to go on");
    await word.fill("node-3");
    expect(await remove.isDisabled()).toBe(true);
    await word.fill("node-4");
    await remove.click();
    await page.locator("[data-node='node-4']").waitFor({ state: "detached" });
    expect(fleet.orders.at(-1)).toMatchObject({ case: "removeNode", value: { nodeId: 4, isForced: false } });
    fleet.nodes.splice(3);
    fleet.addNode("node-4", "attic");
  });

  test("maintenance, a declared failure and labels are ordered as they were filled in", async () => {
    await choose("node-1", "Maintenance…");
    await dialog().getByLabel("For").selectOption("4 hours");
    await dialog().getByRole("button", { name: "Start maintenance" }).click();
    await page.locator("[data-task='node-1']").getByText("May be away until").waitFor();
    expect(fleet.orders.at(-1)).toMatchObject({
      case: "startMaintenance",
      value: { nodeId: 1, durationMs: 14_400_000n },
    });
    await page.locator("[data-node='node-1']").getByText("maintenance", { exact: true }).waitFor();
    await choose("node-1", "End maintenance…");
    await dialog().getByRole("button", { name: "End maintenance" }).click();
    await page.locator("[data-task='node-1']").waitFor({ state: "detached" });
    await choose("node-3", "Declare dead…");
    await dialog().getByRole("button", { name: "Declare dead" }).click();
    await page.locator("[data-node='node-3']").getByText("failed").waitFor();
    await page.getByText("have fewer than 3 copies").waitFor();
    await page
      .getByTestId("repair")
      .getByText(/being copied, .* waiting · 61 MB\/s · about 34 s left/)
      .waitFor();
    await choose("node-3", "Take back…");
    await dialog().getByRole("button", { name: "Take back" }).click();
    await page.locator("[data-task='node-3']").waitFor({ state: "detached" });
    await choose("node-3", "Zone and rack…");
    await dialog().getByLabel("Zone").fill("roof");
    await dialog().getByLabel("Rack").fill("r7");
    await dialog().getByRole("button", { name: "Save" }).click();
    await page.locator("[data-node='node-3']").getByText("rack r7").waitFor();
    fleet.node(3).zone = "attic";
  });

  test("a drill counts down, marks what it causes, and stops at once", async () => {
    await choose("node-3", "Failure drill…");
    await dialog().getByLabel("Slow disk").check();
    await dialog().getByLabel("Added to every operation").fill("50");
    await dialog().getByLabel("Cut off").check();
    await dialog().getByLabel("For").selectOption("5 minutes");
    await dialog().getByRole("button", { name: "Start the drill" }).click();
    await page
      .getByTestId("countdown")
      .getByText(/^4:5\d$/)
      .waitFor();
    await page.locator("[data-node='node-3']").getByText("drill").waitFor();
    const down = page.locator("li", { hasText: "NodeDown" }).first();
    await down.getByText("injected").waitFor({ timeout: 5000 });
    await page.getByRole("button", { name: "Stop now" }).click();
    await page.getByTestId("countdown").waitFor({ state: "detached" });
    expect(orderKinds().slice(-2)).toEqual(["startDrill", "stopDrill"]);
    await page
      .locator("[data-node='node-3']")
      .getByText(/● live$/)
      .waitFor();
  });

  test("pauses, copies and the way on after a mass loss", async () => {
    await page.getByRole("button", { name: "Pause balancing…" }).click();
    await dialog().getByRole("button", { name: "Pause balancing" }).click();
    await page.getByTestId("balance").getByText("paused").waitFor();
    await page.getByRole("button", { name: "Resume balancing…" }).click();
    await dialog().getByRole("button", { name: "Resume balancing" }).click();
    await page.getByRole("button", { name: "Pause balancing…" }).waitFor();
    memory.gateway.state.cluster.repair.stoppedReason = "2 of 4 nodes vanished together.";
    await page.getByRole("button", { name: "Repair anyway…" }).click();
    await dialog().getByRole("button", { name: "Repair anyway" }).click();
    await expect.poll(() => fleet.orders.at(-1)).toMatchObject({ value: { isMassLossAccepted: true } });
    memory.gateway.state.cluster.repair.stoppedReason = "";
    await page.getByRole("button", { name: "Change copies…" }).click();
    await dialog().getByRole("combobox").selectOption("9");
    await dialog().getByText("There are only 4 active nodes.").waitFor();
    await dialog().getByRole("combobox").selectOption("2");
    await dialog().getByRole("button", { name: "Keep 2 copies" }).click();
    await page.getByText("2 copies of every chunk", { exact: true }).first().waitFor();
    fleet.replication = 3;
  });

  test("a node joins by a command that is shown once, waited for, listed and revoked", async () => {
    await page.getByRole("button", { name: "Add a node" }).click();
    await dialog().getByLabel("For whom").fill("attic machine");
    await dialog().getByLabel("Works for").selectOption("10 minutes");
    await dialog().getByRole("button", { name: "Make a join command" }).click();
    await dialog()
      .getByTestId("join-command")
      .getByText(/^npx holdfast node start --join hfj_\w+ --data /)
      .waitFor();
    await dialog().getByText("Waiting for the node").waitFor();
    const token = fleet.joinTokens[0];
    if (token !== undefined) token.usedByNodeId = 4;
    await dialog().getByText("node-4 has joined.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("used by node-4").waitFor();
    await page.getByRole("button", { name: "Add a node" }).click();
    await dialog().getByRole("button", { name: "Make a join command" }).click();
    await dialog().getByTestId("join-command").waitFor();
    await page.keyboard.press("Escape");
    await page
      .getByRole("button", { name: "Revoke no. 2" })
      .or(page.getByRole("button", { name: /^Revoke/ }))
      .first()
      .click();
    await page.getByRole("button", { name: /^Revoke/ }).waitFor({ state: "detached" });
  });

  test("a node is started here, stopped after its price was shown, and started again", async () => {
    await page.getByRole("button", { name: "Add a node" }).click();
    await dialog().getByLabel("On this machine").check();
    await dialog().getByRole("button", { name: "Start a node here" }).click();
    await dialog().getByText("node-5 has joined and is live.").waitFor();
    await dialog().getByRole("button", { name: "Close" }).click();
    await page.locator("[data-node='node-5']").waitFor();
    await choose("node-5", "Stop its process…");
    await dialog().getByText("930 chunks drop to 2 copies").waitFor();
    await dialog().getByRole("button", { name: "Stop node-5" }).click();
    await page.getByRole("button", { name: "Start node-5" }).click({ timeout: 6000 });
    await page.getByText("node-5 was started").waitFor();
    memory.gateway.state.cluster.setDeadNode(0);
  });

  test("the weakest points are at a glance; what if answers for nodes and zones and changes nothing", async () => {
    const ordersBefore = fleet.orders.length;
    await page.locator("[data-weakest='Pair of nodes']").getByText("node-1 and node-2").waitFor();
    await page.getByRole("button", { name: "What if…" }).click();
    await dialog().getByText("Choose a node.").waitFor();
    await dialog().getByLabel("node-1").check();
    await dialog().getByText("none becomes unreadable").waitFor();
    await dialog().getByLabel("node-2").check();
    await dialog().getByText("/Invoices/2026-03.pdf").waitFor();
    await dialog().getByLabel("What dies").selectOption("Everything in zone attic");
    await dialog().getByLabel("node-1").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "History of a chunk…" }).click();
    await dialog().getByLabel("Chunk id").fill("12");
    await page.keyboard.press("Enter");
    await dialog().getByText("confirmed then on node-1, node-2, node-3; term 4").waitFor();
    await dialog().getByLabel("Chunk id").fill("99999");
    await page.keyboard.press("Enter");
    await dialog().getByRole("alert").getByText("never heard of").waitFor();
    expect(fleet.orders.length).toBe(ordersBefore);
  });

  test("by keyboard alone: open the menu, drain, confirm; the focus comes back", async () => {
    fleet.drainedPerLook = 0n;
    await page.getByRole("button", { name: "Actions on node-2" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Drain…" }).waitFor();
    await page.keyboard.type("dra");
    await page.keyboard.press("Enter");
    await dialog().getByText("930 chunks drop to 2 copies").waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    for (let presses = 0; presses < 10 && (await focused()) !== "Drain node-2"; presses++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await dialog().waitFor({ state: "detached" });
    await page
      .locator("[data-node='node-2']")
      .getByText(/^drain/)
      .waitFor();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")))
      .toBe("Actions on node-2");
    expect(fleet.orders.at(-1)?.case).toBe("drainNode");
    await choose("node-2", "Cancel the drain…");
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    fleet.change("keyboard", { case: "activateNode", value: { nodeId: 2 } as never });
  });

  test("who is not an administrator sees none of it", async () => {
    const guest = await memory.visit();
    await guest.page.goto("/signin");
    await guest.page.getByLabel("E-mail").fill("guest@example.org");
    await guest.page.getByLabel("Password").fill("correct horse battery");
    await guest.page.getByRole("button", { name: "Sign in" }).click();
    await guest.page.getByRole("grid").waitFor();
    await guest.page.goto("/admin");
    await guest.page.getByText("Only administrators can see this page").waitFor();
    expect(await guest.page.getByRole("button", { name: "Add a node" }).count()).toBe(0);
    await guest.context.close();
  });

  for (const theme of ["light", "dark"] as const) {
    test(`no serious accessibility fault in ${theme}, dialogs and tasks included`, async () => {
      fleet.drainedPerLook = 0n;
      fleet.change(`axe ${theme}`, { case: "drainNode", value: { nodeId: 2, reason: "axe" } as never });
      const other = await memory.enter({ theme });
      await other.page.goto("/admin");
      await other.page.getByText("Bytes copied").waitFor();
      await other.page.getByRole("progressbar").waitFor();
      expect(await seriousFaults(other.page)).toEqual([]);
      for (const action of ["Failure drill…", "Remove…", "Zone and rack…"]) {
        await other.page.getByRole("button", { name: "Actions on node-3" }).click();
        await other.page.getByRole("menuitem", { name: action }).click();
        await other.page.getByText("All copies can be had again").waitFor();
        await other.page.waitForTimeout(250);
        expect([action, await seriousFaults(other.page, "[role=dialog]")]).toEqual([action, []]);
        await other.page.keyboard.press("Escape");
        await other.page.getByRole("dialog").waitFor({ state: "detached" });
      }
      await other.page.getByRole("button", { name: "Add a node" }).click();
      await other.page.getByRole("button", { name: "Make a join command" }).click();
      await other.page.getByTestId("join-command").waitFor();
      await other.page.waitForTimeout(250);
      expect(await seriousFaults(other.page, "[role=dialog]")).toEqual([]);
      await other.context.close();
      fleet.change(`axe back ${theme}`, { case: "activateNode", value: { nodeId: 2 } as never });
    });
  }

  test("at 360 px the page, its menus and its dialogs fit", async () => {
    const phone = await memory.enter({ width: 360, height: 740, isTouch: true });
    await phone.page.goto("/admin");
    await phone.page.getByText("Bytes copied").waitFor();
    const overflow = () => phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const clipped = () =>
      phone.page.evaluate(() =>
        [...document.querySelectorAll("button, input, select, h2, p")]
          .filter(
            (element) =>
              element.getBoundingClientRect().right > innerWidth + 1 &&
              element.closest("[tabindex='0'] table") === null,
          )
          .map((element) => element.textContent),
      );
    expect([await overflow(), await clipped()]).toEqual([0, []]);
    await phone.page.getByRole("button", { name: "Actions on node-3" }).tap();
    await phone.page.getByRole("menuitem", { name: "Failure drill…" }).tap();
    await phone.page.getByText("All copies can be had again").waitFor();
    expect([await overflow(), await clipped()]).toEqual([0, []]);
    const box = await phone.page.getByRole("button", { name: "Start the drill" }).boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(740);
    expect(phone.problems).toEqual([]);
    await phone.context.close();
  });
});
