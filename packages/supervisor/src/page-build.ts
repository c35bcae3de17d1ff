import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { HoldfastError } from "@holdfast/base";

/** Hash of everything the built page depends on inside this repository. */
async function pageFingerprint(root: string): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of ["packages/web", "packages/proto/src", "packages/base/src"]) {
    const names = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
    const files = names
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => !file.includes("node_modules") && !file.includes(`${path.sep}dist${path.sep}`))
      .sort();
    for (const file of files) hash.update(path.relative(root, file)).update(await readFile(file));
  }
  hash.update(await readFile(path.join(root, "pnpm-lock.yaml")));
  return hash.digest("hex");
}

/** Builds `packages/web/dist` unless it is up to date. Returns the folder. Errors: `internal` with the builder's output. */
export async function ensurePageBuilt(root: string, nodePath: string): Promise<string> {
  const web = path.join(root, "packages/web");
  const output = path.join(web, "dist");
  const stamp = path.join(root, "node_modules/.holdfast-page");
  const fingerprint = await pageFingerprint(root);
  const built = existsSync(path.join(output, "index.html")) && existsSync(stamp) ? await readFile(stamp, "utf8") : "";
  if (built === fingerprint) return output;
  await runBuild(web, nodePath);
  await mkdir(path.dirname(stamp), { recursive: true });
  await writeFile(stamp, fingerprint);
  return output;
}

async function runBuild(web: string, nodePath: string): Promise<void> {
  const vite = path.join(web, "node_modules/vite/bin/vite.js");
  await new Promise<void>((resolve, reject) => {
    const child = spawn(nodePath, [vite, "build", "--logLevel", "warn"], {
      cwd: web,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (part: Buffer): void => {
      output = (output + part.toString()).slice(-8_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.once("error", (cause) =>
      reject(new HoldfastError("internal", `The page could not be built: ${cause.message}`, { cause })),
    );
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new HoldfastError(
            "internal",
            `The page could not be built; no data was touched. The builder said:\n${output}`,
          ),
        );
    });
  });
}
