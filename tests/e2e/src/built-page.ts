import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const webFolder = fileURLToPath(new URL("../../../packages/web/", import.meta.url));

/** Where `vite build` puts the page. */
export const distFolder = join(webFolder, "dist");

/** Builds the page unless what is built is newer than every source file. */
export async function ensureBuiltPage(): Promise<void> {
  const builtAtMs = await stat(join(distFolder, "index.html")).then(
    (found) => found.mtimeMs,
    () => 0,
  );
  if (builtAtMs > (await newestSourceMs())) return;
  await promisify(execFile)(process.execPath, [join(webFolder, "node_modules/vite/bin/vite.js"), "build"], {
    cwd: webFolder,
    timeout: 120_000,
  });
}

async function newestSourceMs(): Promise<number> {
  let newest = 0;
  for (const folder of ["src", "public", "build", "../base/src", "../proto/src", "."]) {
    const items = await readdir(join(webFolder, folder), { recursive: folder !== ".", withFileTypes: true });
    for (const item of items)
      if (item.isFile() && !item.name.includes(".test."))
        newest = Math.max(newest, (await stat(join(item.parentPath, item.name))).mtimeMs);
  }
  return newest;
}
