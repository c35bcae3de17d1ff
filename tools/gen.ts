import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { root, runStep } from "./run-steps.ts";

const generated = path.join(root, "packages/proto/src/gen");

async function filesBelow(folder: string): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    contents.set(path.relative(folder, file), await readFile(file, "utf8"));
  }
  return contents;
}

/** Generates into a folder of its own and names what differs from the checked-in code. */
async function verify(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-gen-"));
  try {
    const code = await runStep({ name: "buf generate", command: "buf", parameters: ["generate", "-o", folder] });
    if (code !== 0) return code;
    const fresh = await filesBelow(path.join(folder, "packages/proto/src/gen"));
    const kept = await filesBelow(generated);
    const names = new Set([...fresh.keys(), ...kept.keys()]);
    const drifted = [...names].filter((name) => fresh.get(name) !== kept.get(name));
    for (const name of drifted) console.error(`${name} is not what buf generates; run: npm run gen`);
    return drifted.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv.includes("--verify")) process.exitCode = await verify();
else if (process.argv.includes("--baseline")) {
  // What `buf breaking` compares with: moved on only when a release fixes the protocol.
  process.exitCode = await runStep({
    name: "buf build",
    command: "buf",
    parameters: ["build", "-o", "proto/baseline.binpb"],
  });
} else process.exitCode = await runStep({ name: "buf generate", command: "buf", parameters: ["generate"] });
