import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { signIn as signInToEdge, startLocalCluster, testUser } from "@holdfast/tests-conformance";
import { launchBrowser, openVisitor, rowOf, signIn } from "./browser.ts";

/** Makes the pictures of README.md from a real cluster: `node tests/e2e/src/screenshots.ts [folder]`. */
const folder = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, "../../../docs/images"));
await mkdir(folder, { recursive: true });
const cluster = await startLocalCluster();
const browser = await launchBrowser();
try {
  const edge = await signInToEdge(cluster.origin);
  for (const name of ["Contracts", "Design", "Holidays 2026", "Recipes"]) {
    await edge.drive.createFolder({ requestId: randomBytes(16).toString("hex"), name });
  }
  const files: readonly (readonly [string, number])[] = [
    ["Annual report 2025.pdf", 2_400_000],
    ["Grüße an Omi 👵.txt", 412],
    ["harbour at dawn.jpg", 5_200_000],
    ["interview take 2.mp4", 24_000_000],
    ["interview take 10.mp4", 31_000_000],
    ["budget.xlsx", 48_000],
    ["notes.md", 12_000],
  ];
  for (const [name, sizeBytes] of files) await edge.put(name, randomBytes(sizeBytes));
  for (const theme of ["light", "dark"] as const) {
    const { page, context } = await openVisitor(browser, { url: cluster.origin, theme });
    await page.goto("/signin");
    await page.getByLabel("E-mail").waitFor();
    await page.screenshot({ path: path.join(folder, `sign-in-${theme}.png`) });
    await signIn(page, testUser);
    await rowOf(page, "notes.md").waitFor();
    await page.screenshot({ path: path.join(folder, `drive-${theme}.png`) });
    await page.goto("/admin");
    await page.getByText("node-4", { exact: true }).first().waitFor();
    await page.getByText("Bytes copied").waitFor();
    await page.waitForTimeout(6_000);
    await page.setViewportSize({ width: 1280, height: 1960 });
    await page.waitForTimeout(500);
    await page.screenshot({ path: path.join(folder, `admin-${theme}.png`) });
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole("button", { name: "Actions on node-2" }).click();
    await page.getByRole("menuitem", { name: "Drain…" }).click();
    await page.getByText("All copies can be had again").waitFor();
    await page.waitForTimeout(500);
    await page.screenshot({ path: path.join(folder, `admin-drain-${theme}.png`) });
    await context.close();
  }
  const phone = await openVisitor(browser, { url: cluster.origin, width: 360, height: 740, isTouch: true });
  await signIn(phone.page, testUser);
  await rowOf(phone.page, "notes.md").waitFor();
  await phone.page.screenshot({ path: path.join(folder, "drive-phone.png") });
  await phone.page.goto("/admin");
  await phone.page.getByText("Weakest points").waitFor();
  await phone.page.waitForTimeout(2_000);
  await phone.page.screenshot({ path: path.join(folder, "admin-phone.png") });
} finally {
  await browser.close();
  await cluster.destroy();
}
process.exit();
