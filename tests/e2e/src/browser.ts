import { existsSync } from "node:fs";
import { must } from "@holdfast/base";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

const candidates = [
  process.env["HOLDFAST_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The machine's Chromium, or undefined: then browser tests are skipped with a line that says so. */
export function findChromium(): string | undefined {
  return candidates.find((path) => path !== undefined && path !== "" && existsSync(path));
}

/** Says once why nothing runs; answers whether browser tests must be skipped. */
export function mustSkipBrowser(suite: string): boolean {
  const isMissing = findChromium() === undefined;
  if (isMissing) process.stdout.write(`skipped: no browser (${suite}); install chromium or set HOLDFAST_CHROMIUM\n`);
  return isMissing;
}

/** A headless Chromium. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = must(findChromium(), "there is a Chromium on this machine");
  return chromium.launch({ executablePath, headless: true, args: flags });
}

/** A fresh visitor. Errors of the page end up in `problems`, which tests expect to be empty. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly problems: string[];
}

/** Opens a page as a new visitor, or as a second tab of an old one. */
export async function openVisitor(
  browser: Browser,
  options: {
    readonly url: string;
    readonly theme?: "light" | "dark";
    readonly width?: number;
    readonly height?: number;
    readonly context?: BrowserContext;
    readonly isTouch?: boolean;
  },
): Promise<Visitor> {
  const viewport = { width: options.width ?? 1280, height: options.height ?? 800 };
  const touch = options.isTouch === true ? { hasTouch: true, isMobile: true } : {};
  const context =
    options.context ??
    (await browser.newContext({
      viewport,
      colorScheme: options.theme ?? "light",
      acceptDownloads: true,
      baseURL: options.url,
      ...touch,
    }));
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load resource"))
      problems.push(`console: ${message.text()}`);
  });
  return { context, page, problems };
}

/** Signs in through the form and waits for the list. */
export async function signIn(
  page: Page,
  account: { readonly email: string; readonly password: string },
): Promise<void> {
  await page.goto("/signin");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password", { exact: true }).fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("grid").waitFor();
}

/** The row of an item of the folder on screen. */
export function rowOf(page: Page, name: string) {
  return page.locator(`[role=row][data-name=${JSON.stringify(name)}]`);
}

/** Drops files on the list, as a drag from the desktop does. */
export async function dropFiles(
  page: Page,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<void> {
  const transfer = await page.evaluateHandle((list) => {
    const data = new DataTransfer();
    for (const file of list) data.items.add(new File([file.text], file.name));
    return data;
  }, files);
  await page.getByTestId("rows").dispatchEvent("dragover", { dataTransfer: transfer });
  await page.getByTestId("rows").dispatchEvent("drop", { dataTransfer: transfer });
}

/** Drops real files and folders of this machine on the list, through the browser's own drag machinery. */
export async function dropPaths(page: Page, paths: readonly string[]): Promise<void> {
  const box = must(await page.getByTestId("rows").boundingBox(), "the list is on screen");
  const session = await page.context().newCDPSession(page);
  const at = {
    x: box.x + box.width / 2,
    y: box.y + box.height / 2,
    data: { items: [], files: [...paths], dragOperationsMask: 1 },
  };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, ...at });
  await session.detach();
}
