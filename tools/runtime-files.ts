import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { root } from "./run-steps.ts";

/**
 * Prints what the cluster's processes need to run, one path per line relative to the repository: the packages without
 * their tests, and of `node_modules` only what they depend on, directly or through others. For compose/make-image.sh.
 */
const processes = ["master", "chunkserver", "gateway", "cli"];

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const found = new Set<string>();
const visited = new Set<string>();

function relative(file: string): string {
  return path.relative(root, file);
}

/** A package with links to its dependencies: ours under packages/, others where pnpm keeps them. */
function visit(folder: string): void {
  if (visited.has(folder)) return;
  visited.add(folder);
  const isOurs = folder.startsWith(path.join(root, "packages") + path.sep);
  if (isOurs) {
    found.add(relative(path.join(folder, "package.json")));
    found.add(relative(path.join(folder, "src")));
  } else found.add(relative(folder));
  const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const link = linkOf(folder, name);
    if (link === undefined) continue;
    found.add(relative(link));
    visit(realpathSync(link));
  }
}

/** Where Node would find it: in the package, or beside it. */
function linkOf(folder: string, name: string): string | undefined {
  for (let at = folder; at !== path.dirname(at); at = path.dirname(at)) {
    const link = path.join(at, "node_modules", name);
    if (existsSync(link)) return link;
    const sibling = path.basename(at) === "node_modules" ? path.join(at, name) : "";
    if (sibling !== "" && existsSync(sibling)) return sibling;
  }
  return undefined;
}

for (const name of processes) visit(path.join(root, "packages", name));
const page = path.join(root, "packages/web/dist");
if (existsSync(page) && statSync(page).isDirectory() && readdirSync(page).length > 0) found.add(relative(page));
found.add("package.json");
process.stdout.write(`${[...found].sort((left, right) => (left < right ? -1 : 1)).join("\n")}\n`);
