import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CommandLine, startLocalCluster, testUser } from "@holdfast/tests-conformance";
import { dropPaths, launchBrowser, openVisitor, signIn } from "./browser.ts";

/** Drops a folder of real files on the page of a real cluster, reads it back and compares: `node ... FOLDER`. */
const source = path.resolve(process.argv[2] ?? ".");
const folder = await mkdtemp(path.join(tmpdir(), "holdfast-tree-"));
const cluster = await startLocalCluster();
const browser = await launchBrowser();
try {
  const { page } = await openVisitor(browser, { url: cluster.origin });
  await signIn(page, testUser);
  const startedAtMs = performance.now();
  await dropPaths(page, [source]);
  await page.getByText(/^[\d\s.,]+ files uploaded$/).waitFor({ timeout: 600_000 });
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const holdfast = new CommandLine(path.join(folder, "profile"));
  const login = ["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"];
  await holdfast.ok(login, { input: testUser.password });
  await holdfast.ok(["get", "-r", `/${path.basename(source)}`, path.join(folder, "back")]);
  execFileSync("diff", ["-r", source, path.join(folder, "back")]);
  const count = Number(execFileSync("sh", ["-c", `find '${source}' -type f | wc -l`], { encoding: "utf8" }));
  console.log(
    `${count} files in ${seconds.toFixed(0)} s (${(count / seconds).toFixed(0)} files/s); read back, no difference`,
  );
} finally {
  await browser.close();
  await cluster.destroy();
  await rm(folder, { recursive: true, force: true });
}
process.exit();
