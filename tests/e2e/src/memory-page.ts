import type { Browser } from "playwright-core";
import { startMemoryGateway, type MemoryGateway } from "../../../packages/web/dev/memory-gateway.ts";
import { seed, seedAccount } from "../../../packages/web/dev/seed.ts";
import { launchBrowser, openVisitor, signIn, type Visitor } from "./browser.ts";
import { ensureBuiltPage } from "./built-page.ts";

export { seedAccount };

/** The built page on a seeded memory gateway, and a browser to look at it. */
export interface MemoryPage {
  readonly browser: Browser;
  readonly gateway: MemoryGateway;
  /** A new visitor who is signed in and sees the list. */
  enter(options?: Partial<Parameters<typeof openVisitor>[1]>): Promise<Visitor>;
  /** A visitor who is not. */
  visit(options?: Partial<Parameters<typeof openVisitor>[1]>): Promise<Visitor>;
  stop(): Promise<void>;
}

/** Builds what is missing and starts both. */
export async function startMemoryPage(): Promise<MemoryPage> {
  await ensureBuiltPage();
  const gateway = await startMemoryGateway();
  seed(gateway.state);
  const browser = await launchBrowser();
  const visit: MemoryPage["visit"] = (options = {}) => openVisitor(browser, { url: gateway.url, ...options });
  return {
    browser,
    gateway,
    visit,
    enter: async (options) => {
      const visitor = await visit(options);
      await signIn(visitor.page, seedAccount);
      return visitor;
    },
    stop: async () => {
      await browser.close();
      await gateway.stop();
    },
  };
}
