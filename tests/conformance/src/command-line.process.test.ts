import { createHash, randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "./command-line.ts";
import { type LocalCluster, startLocalCluster, testUser } from "./local-cluster.ts";

let cluster: LocalCluster;
let folder: string;
let holdfast: CommandLine;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "holdfast-cli-"));
  cluster = await startLocalCluster();
  holdfast = new CommandLine(path.join(folder, "profile"));
  await holdfast.ok(["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"], {
    input: `${testUser.password}\n`,
  });
});

afterAll(async () => {
  await cluster.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** Names that break careless programs. */
const oddNames = [
  "with space.txt",
  "Übermut.txt",
  "🎈 party.txt",
  `quote'"s.txt`,
  ".hidden",
  "trailing.",
  "100%.txt",
  "a&b=c+d.txt",
  "日本語.txt",
  "-dash.txt",
  "back\\slash.txt",
];

async function makeTree(root: string): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  const add = async (name: string, bytes: Buffer): Promise<void> => {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
    hashes.set(name, createHash("sha256").update(bytes).digest("hex"));
  };
  for (const name of oddNames) await add(name, randomBytes(100));
  await add("empty", Buffer.alloc(0));
  await add("deep/er/still/file.bin", randomBytes(70_000));
  await add("one chunk.bin", randomBytes(4 * 1024 * 1024));
  await add("chunk and a byte.bin", randomBytes(4 * 1024 * 1024 + 1));
  await add("parts.bin", randomBytes(17 * 1024 * 1024 + 3));
  return hashes;
}

async function hashTree(root: string): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    hashes.set(
      path.relative(root, file),
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    );
  }
  return hashes;
}

describe("holdfast on the command line", () => {
  it("brings a tree with odd names there and back, byte for byte", async () => {
    const source = path.join(folder, "source");
    const hashes = await makeTree(source);
    await holdfast.ok(["put", "-r", source, "/tree"]);
    await holdfast.ok(["get", "-r", "/tree", path.join(folder, "back")]);
    expect(await hashTree(path.join(folder, "back"))).toEqual(hashes);
  });

  it("lists, tells, concatenates, moves, removes and restores", async () => {
    await holdfast.ok(["mkdir", "-p", "/docs/2026"]);
    await holdfast.ok(["put", "-", "/docs/2026/a.txt"], { input: "first\n" });
    await holdfast.ok(["put", "-", "/docs/2026/b.txt"], { input: "second\n" });
    expect((await holdfast.ok(["cat", "/docs/2026/a.txt", "/docs/2026/b.txt"])).stdout.toString()).toBe(
      "first\nsecond\n",
    );
    await holdfast.ok(["mv", "/docs/2026/a.txt", "/docs/c.txt"]);
    expect((await holdfast.ok(["ls", "-R", "/docs"])).stdout.toString()).toBe("2026/\n2026/b.txt\nc.txt\n");
    const stat = (await holdfast.ok(["stat", "--json", "/docs/c.txt"])).json<{ sizeBytes: number; sha256: string }>();
    expect(stat).toMatchObject({ sizeBytes: 6, type: "file", path: "/docs/c.txt" });
    await holdfast.ok(["rm", "/docs/c.txt"]);
    expect((await holdfast.run(["cat", "/docs/c.txt"])).code).toBe(3);
    await holdfast.ok(["trash", "restore", "c.txt"]);
    expect((await holdfast.ok(["cat", "/docs/c.txt"])).stdout.toString()).toBe("first\n");
    await holdfast.ok(["rm", "-r", "--forever", "/docs"]);
    expect((await holdfast.run(["ls", "/docs"])).code).toBe(3);
  });

  it("replaces a file's content by default, and refuses with --no-clobber", async () => {
    await holdfast.ok(["put", "-", "/again.txt"], { input: "one" });
    await holdfast.ok(["put", "-", "/again.txt"], { input: "two" });
    expect((await holdfast.ok(["cat", "/again.txt"])).stdout.toString()).toBe("two");
    expect((await holdfast.run(["put", "--no-clobber", "-", "/again.txt"], { input: "three" })).code).toBe(4);
    expect((await holdfast.ok(["cat", "/again.txt"])).stdout.toString()).toBe("two");
  });

  it("ends with the promised codes", async () => {
    const codes = async (...words: string[]): Promise<number> => (await holdfast.run(words)).code;
    expect(await codes("frobnicate")).toBe(2);
    expect(await codes("ls", "relative/path")).toBe(2);
    expect(await codes("cat", "/nowhere")).toBe(3);
    await holdfast.ok(["mkdir", "/taken"]);
    expect(await codes("mkdir", "/taken")).toBe(4);
    await holdfast.ok(["mkdir", "/taken/inner"]);
    expect(await codes("rm", "/taken")).toBe(4);
    expect(await codes("mv", "/taken", "/taken/inner/self")).toBe(4);
    expect(await codes("mkdir", `/${"n".repeat(300)}`)).toBe(2);
    const stranger = new CommandLine(path.join(folder, "stranger"));
    expect((await stranger.run(["ls", "/"])).code).toBe(5);
    expect(
      (await stranger.run(["ls", "/"], { environment: { HOLDFAST_SERVER: cluster.origin, HOLDFAST_TOKEN: "forged" } }))
        .code,
    ).toBe(5);
    const wrong = await stranger.run(
      ["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"],
      { input: "wrong password" },
    );
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).not.toContain("wrong password");
  });

  it("makes accounts on the server and in a file", async () => {
    await holdfast.ok(["user", "create", "grace@example.org", "--password", "a long passphrase"]);
    expect((await holdfast.run(["user", "create", "grace@example.org", "--password", "a long passphrase"])).code).toBe(
      4,
    );
    const grace = new CommandLine(path.join(folder, "grace"));
    await grace.ok(["login", "--server", cluster.origin, "--email", "Grace@Example.org", "--password-stdin"], {
      input: "a long passphrase",
    });
    expect((await grace.ok(["ls", "/"])).stdout.toString()).toBe("");
    expect((await grace.run(["admin", "status"])).code).toBe(5);
    const store = path.join(folder, "user_store.json");
    const offline = new CommandLine(path.join(folder, "offline"));
    await offline.ok([
      "user",
      "create",
      "linus@example.org",
      "--password",
      "a long passphrase",
      "--store",
      store,
      "--admin",
      "--channels",
      "email",
    ]);
    const text = await readFile(store, "utf8");
    expect(text).not.toContain("a long passphrase");
    expect(JSON.parse(text)).toMatchObject({
      version: 1,
      users: [{ email: "linus@example.org", isAdmin: true, channels: ["email"] }],
    });
    expect(
      (await offline.run(["user", "create", "short@example.org", "--password", "short", "--store", store])).code,
    ).toBe(2);
  });

  it("shows the cluster as the contract says", async () => {
    const status = (await holdfast.ok(["admin", "status", "--json"])).json<{
      masters: { name: string; role: string; term: number; appliedIndex: number }[];
      nodes: Record<string, unknown>[];
      chunks: Record<string, number>;
      files: Record<string, number>;
    }>();
    expect(status.masters.map((master) => master.name)).toEqual(["master-1", "master-2", "master-3"]);
    expect(status.masters.filter((master) => master.role === "leader")).toHaveLength(1);
    expect(status.nodes.map((node) => node["name"])).toEqual(["node-1", "node-2", "node-3", "node-4"]);
    for (const node of status.nodes) {
      expect(node).toMatchObject({ liveness: "live", intent: "active" });
      expect(node["ip"]).toMatch(/^[\d.]+$|:/);
      expect(node["mac"]).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      expect(node["capacityBytes"]).toBeGreaterThan(0);
    }
    expect(Object.keys(status.chunks)).toEqual(["total", "healthy", "under", "over", "missing", "corrupt"]);
    expect((await holdfast.ok(["admin", "health", "--wait", "--strict", "--timeout", "30s"])).code).toBe(0);
    expect((await holdfast.ok(["admin", "events", "--limit", "5"])).stdout.toString().trim().split("\n").length).toBe(
      5,
    );
  });

  it("gives a slow reader behind a pipe the end of a file, too", async () => {
    const sizeBytes = 8 * 1024 * 1024 + 34_567;
    await holdfast.ok(["put", "-", "/slow.bin"], { input: randomBytes(sizeBytes) });
    const command = `"${process.execPath}" packages/cli/src/main.ts cat /slow.bin`;
    // Never so fast that nothing is left to write when the command has all of it.
    const slowly =
      "let n = 0; const { stdin } = process; stdin.on('end', () => console.log(n));" +
      "stdin.on('data', (part) => { n += part.length; stdin.pause(); setTimeout(() => stdin.resume(), 5); });";
    for (let time = 0; time < 3; time++) {
      const { stdout } = await promisify(execFile)("sh", ["-c", `${command} | "${process.execPath}" -e "${slowly}"`], {
        cwd: path.resolve(import.meta.dirname, "../../.."),
        env: { ...process.env, XDG_CONFIG_HOME: path.join(folder, "profile") },
      });
      expect(Number(stdout)).toBe(sizeBytes);
    }
  });

  it("ends the session at logout", async () => {
    const other = new CommandLine(path.join(folder, "other"));
    await other.ok(["login", "--server", cluster.origin, "--email", testUser.email, "--password-stdin"], {
      input: testUser.password,
    });
    const token = (
      JSON.parse(await readFile(path.join(folder, "other/holdfast/profile.json"), "utf8")) as { token: string }
    ).token;
    await other.ok(["logout"]);
    const reuse = await other.run(["ls", "/"], {
      environment: { HOLDFAST_SERVER: cluster.origin, HOLDFAST_TOKEN: token },
    });
    expect(reuse.code).toBe(5);
  });
});
