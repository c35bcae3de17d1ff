import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Opens the dialog of an action on a node of the admin page. */
export async function chooseAction(page: Page, node: string, action: string): Promise<void> {
  const item = page.getByRole("menuitem", { name: action });
  const anyItem = page.getByRole("menuitem").first();
  // A menu shows what was known when it opened: what the page has yet to hear is there the next time.
  await expect
    .poll(
      async () => {
        await page.getByRole("button", { name: `Actions on ${node}`, exact: true }).click();
        await anyItem.waitFor();
        if (await item.isVisible()) return true;
        await page.keyboard.press("Escape");
        await anyItem.waitFor({ state: "hidden" });
        return false;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  await item.click();
  await page.getByRole("dialog").waitFor();
}
