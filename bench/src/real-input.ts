import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CommandLine, type LocalCluster, testUser } from "@holdfast/tests-conformance";
import { type Measurement, measureMemory } from "./measurement.ts";

const mebibyte = 1024 * 1024;
const oddNames = ["with space.txt", "Übermut.txt", "🎈 party.txt", `quote'"s.txt`, ".hidden", "empty"];

/** How much of the real thing. */
export interface RealInputOptions {
  /** Small files, taken from this repository's own node_modules. */
  readonly files: number;
  /** One file each. */
  readonly largeGibibytes: readonly number[];
}

/**
 * A real tree and very large files through the command line, up and down, every byte compared by hash; then a second
 * copy of the tree while a process of each kind is killed under it.
 */
export async function measureRealInput(
  cluster: LocalCluster,
  options: RealInputOptions,
): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-real-"));
  const measurements: Measurement[] = [];
  try {
    const holdfast = new CommandLine(path.join(folder, "profile"));
    await holdfast.ok(["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"], {
      input: testUser.password,
    });
    const tree = path.join(folder, "tree");
    const fileCount = await makeTree(tree, options.files);
    const { bytes, hashes } = await hashTree(tree);
    measurements.push(
      await timed(`tree of ${fileCount} files up`, { files: fileCount, bytes }, () =>
        holdfast.ok(["put", "-r", tree, "/tree"]),
      ),
    );
    const back = path.join(folder, "back");
    measurements.push(
      await timed(`tree of ${fileCount} files down`, { files: fileCount, bytes }, () =>
        holdfast.ok(["get", "-r", "/tree", back]),
      ),
    );
    compare(hashes, (await hashTree(back)).hashes);
    await rm(back, { recursive: true });

    const kills = killEachKind(cluster);
    measurements.push(
      await timed(`the same tree up while leader, node and gateway are killed`, { files: fileCount, bytes }, () =>
        holdfast.ok(["put", "-r", tree, "/again"]),
      ),
    );
    console.log(`killed meanwhile: ${(await kills).join(", ")}`);
    await holdfast.ok(["get", "-r", "/again", back]);
    compare(hashes, (await hashTree(back)).hashes);
    for (const gibibytes of options.largeGibibytes)
      measurements.push(...(await largeFile(holdfast, folder, gibibytes)));
    measurements.push(...(await measureMemory(cluster, "after all of it")));
    return measurements;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(
  what: string,
  size: { readonly files: number; readonly bytes: number },
  work: () => Promise<unknown>,
): Promise<Measurement> {
  const startedAtMs = performance.now();
  await work();
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const detail = `${seconds.toFixed(0)} s, ${(size.bytes / 1e6 / seconds).toFixed(1)} MB/s; read back and compared`;
  return { what, value: Math.round(size.files / seconds), unit: "files/s", detail };
}

async function largeFile(holdfast: CommandLine, folder: string, gibibytes: number): Promise<readonly Measurement[]> {
  const file = path.join(folder, "large.bin");
  const back = path.join(folder, "large.back");
  const handle = await open(file, "w");
  for (let written = 0; written < gibibytes * 1024 * mebibyte; written += 16 * mebibyte)
    await handle.write(randomBytes(16 * mebibyte));
  await handle.close();
  const sha256 = await hashFile(file);
  const megabytes = (gibibytes * 1024 * mebibyte) / 1e6;
  const rate = async (direction: string, words: readonly string[]): Promise<Measurement> => {
    const startedAtMs = performance.now();
    await holdfast.ok(words);
    const seconds = (performance.now() - startedAtMs) / 1_000;
    return {
      what: `${gibibytes} GiB ${direction} (command line)`,
      value: megabytes / seconds,
      unit: "MB/s",
      detail: `${seconds.toFixed(0)} s`,
    };
  };
  const up = await rate("up", ["put", file, `/large-${gibibytes}.bin`]);
  await rm(file);
  const down = await rate("down", ["get", `/large-${gibibytes}.bin`, back]);
  if ((await hashFile(back)) !== sha256) throw new Error(`${gibibytes} GiB came back different`);
  await rm(back);
  return [up, down];
}

async function killEachKind(cluster: LocalCluster): Promise<readonly string[]> {
  const killed: string[] = [];
  for (const name of ["master-1", "node-2", "gateway-1", "master-2", "master-3"]) {
    await delay(2_500);
    if ((await cluster.pid(name)) !== undefined) {
      await cluster.kill(name);
      killed.push(name);
    }
  }
  return killed;
}

/** Copies so many files out of node_modules, keeping their folders, and adds names that break careless programs. */
async function makeTree(tree: string, fileCount: number): Promise<number> {
  const source = path.resolve(import.meta.dirname, "../../node_modules/.pnpm");
  let count = 0;
  for (const name of oddNames) {
    await mkdir(path.join(tree, "odd names"), { recursive: true });
    await writeFile(path.join(tree, "odd names", name), name === "empty" ? "" : randomBytes(500));
    count++;
  }
  for await (const file of filesBelow(source)) {
    const target = path.join(tree, path.relative(source, file));
    if ((await stat(file)).size > 4 * mebibyte) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(file, target);
    if (++count >= fileCount) break;
  }
  return count;
}

async function* filesBelow(folder: string): AsyncIterable<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const found = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(found);
    else if (entry.isFile()) yield found;
  }
}

async function hashTree(
  tree: string,
): Promise<{ readonly bytes: number; readonly hashes: ReadonlyMap<string, string> }> {
  const hashes = new Map<string, string>();
  let bytes = 0;
  for await (const file of filesBelow(tree)) {
    hashes.set(path.relative(tree, file), await hashFile(file));
    bytes += (await stat(file)).size;
  }
  return { bytes, hashes };
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(file, { highWaterMark: mebibyte })) hash.update(part as Buffer);
  return hash.digest("hex");
}

function compare(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): void {
  for (const [name, sha256] of wanted) if (found.get(name) !== sha256) throw new Error(`${name} came back different`);
  if (found.size !== wanted.size) throw new Error(`${found.size} files came back of ${wanted.size}`);
}
