import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Opens the dialog of an action on a node of the admin page. */
export async function chooseAction(page: Page, node: string, action: string): Promise<void> {
  const item = page.getByRole("menuitem", { name: action });
  // A menu shows what was known when it opened: what the page has yet to hear is there the next time.
  await expect
    .poll(
      async () => {
        if (await item.isVisible()) return true;
        if (await page.getByRole("menuitem").first().isVisible()) await page.keyboard.press("Escape");
        await page.getByRole("button", { name: `Actions on ${node}`, exact: true }).click();
        return item.isVisible();
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  await item.click();
  await page.getByRole("dialog").waitFor();
}
