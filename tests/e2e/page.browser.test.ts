import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seriousFaults } from "./src/accessibility.ts";
import { mustSkipBrowser, rowOf, signIn } from "./src/browser.ts";
import { distFolder } from "./src/built-page.ts";
import { seedAccount, startMemoryPage, type MemoryPage } from "./src/memory-page.ts";

/** JavaScript of the first view of Drive, and of everything else but the charts, in compressed bytes (ui budget). */
const driveScriptMaxBytes = 170_000;
const styleMaxBytes = 20_000;

describe.skipIf(mustSkipBrowser("page"))("the page as a whole", () => {
  let memory: MemoryPage;
  beforeAll(async () => {
    memory = await startMemoryPage();
  });
  afterAll(() => memory.stop());

  test("who is not signed in goes to sign-in and comes back to where they wanted to go", async () => {
    const { page, context, problems } = await memory.visit();
    await page.goto("/trash");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("E-mail").fill(seedAccount.email);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("E-mail or password is not right.").waitFor();
    await page.getByLabel("Password").fill(seedAccount.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Trash" }).waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("an address of another site is never followed after sign-in", async () => {
    const { page, context } = await memory.visit();
    await page.goto("/signin?next=//evil.example/");
    await page.getByLabel("E-mail").fill(seedAccount.email);
    await page.getByLabel("Password").fill(seedAccount.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("grid").waitFor();
    expect(new URL(page.url()).origin).toBe(memory.gateway.url);
    await context.close();
  });

  test("signing out ends the session; a session ended elsewhere asks to sign in again", async () => {
    const { page, context } = await memory.enter();
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("menuitem", { name: /^Sign out/ }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("/");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await signIn(page, seedAccount);
    memory.gateway.state.endAllSessions();
    // The change feed may have told the page already: then the row is gone, and nothing needs opening.
    await page.evaluate(() => {
      document.querySelector('[data-name="Design"]')?.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    });
    await page.getByText("Your session ended").waitFor();
    await context.close();
  });

  test("the set-up link makes the first account once", async () => {
    const { page, context } = await memory.visit();
    await page.goto("/setup");
    await page.getByText("one-time link").waitFor();
    await page.goto("/setup?token=wrong");
    await page.getByLabel("E-mail").fill("first@example.org");
    await page.getByLabel("Password").fill("a long pass phrase");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("alert").getByText("was used or has expired").waitFor();
    await page.goto("/setup?token=set-up-token");
    await page.getByLabel("E-mail").fill("first@example.org");
    await page.getByLabel("Password").fill("a long pass phrase");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("grid").waitFor();
    await context.close();
  });

  test("an unreachable server is told calmly and tried again", async () => {
    const { page, context } = await memory.visit();
    await page.goto("/signin");
    await page.route(/WhoAmI$/, (route) => route.abort());
    await page.goto("/");
    await page.getByText("The server cannot be reached").waitFor();
    await page.unroute(/WhoAmI$/);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await context.close();
  });

  test("the admin page shows masters and nodes live; others are refused", async () => {
    const { page, context, problems } = await memory.enter();
    await page.getByRole("link", { name: "Admin" }).click();
    await page.locator("[data-master='master-1']").getByText("leader").waitFor();
    const node = page.locator("[data-node='node-3']");
    await node.getByText("02:42:ac:11:00:03").waitFor();
    await page.getByTestId("live").getByText("live").waitFor();
    memory.gateway.state.cluster.setDeadNode(3);
    await node.getByText("dead").waitFor({ timeout: 3000 });
    await page.getByText("have fewer than 3 copies").waitFor();
    await page.getByText("node-3 was not heard for 10 s").waitFor({ timeout: 5000 });
    memory.gateway.state.cluster.setDeadNode(0);
    expect(problems).toEqual([]);
    await context.close();
    const guest = await memory.visit();
    await signIn(guest.page, { email: "guest@example.org", password: seedAccount.password });
    expect(await guest.page.getByRole("link", { name: "Admin" }).count()).toBe(0);
    await guest.page.goto("/admin");
    await guest.page.getByText("Only administrators can see this page").waitFor();
    await guest.context.close();
  });

  test("everything by keyboard alone: sign in, open, select, rename, delete, undo, menu, sign out", async () => {
    const { page, context, problems } = await memory.visit();
    await page.goto("/signin");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.keyboard.type(seedAccount.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(seedAccount.password);
    await page.keyboard.press("Enter");
    await page.getByRole("grid").waitFor();
    const focusedName = () => page.evaluate(() => document.activeElement?.getAttribute("data-name") ?? "");
    for (let presses = 0; presses < 30 && (await focusedName()) === ""; presses++) await page.keyboard.press("Tab");
    expect(await focusedName()).toBe("Contracts");
    await page.keyboard.press("Home");
    await page.keyboard.type("desi");
    await expect.poll(focusedName).toBe("Design");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Design" }).waitFor();
    for (let presses = 0; presses < 30 && (await focusedName()) === ""; presses++) await page.keyboard.press("Tab");
    await page.keyboard.press("Alt+ArrowUp");
    await page.getByRole("heading", { name: "My files" }).waitFor();
    for (let presses = 0; presses < 30 && (await focusedName()) === ""; presses++) await page.keyboard.press("Tab");
    await page.keyboard.press("End");
    await expect.poll(focusedName).toBe("todo.txt");
    await page.keyboard.press("Shift+ArrowUp");
    await page.getByText("2 selected").first().waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("End");
    await page.keyboard.press("F2");
    await page.keyboard.type("done");
    await page.keyboard.press("Enter");
    await expect.poll(focusedName).toBe("done.txt");
    await page.keyboard.press("Delete");
    await rowOf(page, "done.txt").waitFor({ state: "detached" });
    await expect.poll(focusedName).not.toBe("");
    await page.keyboard.press("Control+z");
    await rowOf(page, "done.txt").waitFor();
    await page.keyboard.press("Shift+F10");
    await page.getByRole("menu").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    await expect.poll(focusedName).not.toBe("");
    expect(problems).toEqual([]);
    await context.close();
  });

  for (const theme of ["light", "dark"] as const) {
    test(`no serious accessibility fault in ${theme}`, async () => {
      const { page, context } = await memory.visit({ theme });
      await page.goto("/signin");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await signIn(page, seedAccount);
      await rowOf(page, "notes.md").click();
      await page.getByRole("button", { name: "Show details" }).click();
      await page.getByRole("complementary", { name: "Details" }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await page.getByRole("navigation", { name: "Places" }).getByRole("button", { name: "New" }).click();
      await page.getByRole("menuitem", { name: "New folder" }).waitFor();
      await page.waitForTimeout(300);
      expect(await seriousFaults(page)).toEqual([]);
      await page.getByRole("menuitem", { name: "New folder" }).click();
      await page.getByRole("dialog").waitFor();
      await page.waitForTimeout(300);
      expect(await seriousFaults(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.goto("/trash");
      await page.getByRole("heading", { name: "Trash" }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await page.goto("/admin");
      await page.getByText("Bytes copied").waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await context.close();
    });
  }

  test("at 360 px nothing is cut off sideways, the sidebar is a drawer, and a tap opens a folder", async () => {
    const { page, context, problems } = await memory.enter({ width: 360, height: 740, isTouch: true });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    expect(await rowOf(page, "notes.md").evaluate((row) => row.getBoundingClientRect().height)).toBe(56);
    await rowOf(page, "Design").tap();
    await page.getByRole("heading", { name: "Design" }).waitFor();
    await page.getByRole("button", { name: "Open the menu" }).tap();
    await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Trash" }).tap();
    await page.getByRole("heading", { name: "Trash" }).waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.goto("/admin");
    await page.getByText("Bytes copied").waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    await context.close();
  });

  test("a chosen theme is there before the first paint of the next visit", async () => {
    const { page, context } = await memory.enter({ theme: "light" });
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitem", { name: "Dark" }).click();
    await expect
      .poll(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor))
      .toBe("rgb(20, 21, 23)");
    await page.route("**/assets/*.js", (route) => route.abort());
    await page.reload();
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(20, 21, 23)");
    await context.close();
  });

  test("the first view of Drive stays within its budget", async () => {
    const html = await readFile(join(distFolder, "index.html"), "utf8");
    const sizes = { js: 0, css: 0 };
    for (const match of html.matchAll(/(?:src|href)="(\/[^"]+\.(js|css))"/g))
      sizes[match[2] as "js" | "css"] += gzipSync(await readFile(join(distFolder, match[1] ?? ""))).length;
    expect(sizes.js).toBeGreaterThan(100_000);
    expect(sizes.js).toBeLessThanOrEqual(driveScriptMaxBytes);
    expect(sizes.css).toBeLessThanOrEqual(styleMaxBytes);
    expect(html).not.toMatch(/fonts\.|\.woff/);
  });
});
