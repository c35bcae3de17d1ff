import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { decodeJoinToken, encodeJoinToken, type JoinToken } from "@holdfast/base";
import { waitFor } from "@holdfast/tests-conformance";
import { afterEach, expect, it } from "vitest";
import { Lan } from "./cluster/lan.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const user = { email: "ada@example.org", password: "correct horse battery" };
const missing = await Lan.missing();
if (missing !== undefined) console.log(`skipped: a cluster on two machines (${missing})`);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A program inside a host's network, with everything that it said. */
class Program {
  readonly exited: Promise<number>;
  output = "";
  readonly stdout: Buffer[] = [];
  readonly #child: ChildProcess;

  constructor(
    command: readonly string[],
    options: { readonly input?: string; readonly environment?: NodeJS.ProcessEnv },
  ) {
    const [program = "", ...parameters] = command;
    const env = { ...process.env, HOLDFAST_PARENT_PID: String(process.pid), ...options.environment };
    this.#child = spawn(program, parameters, { cwd: root, env });
    this.#child.stdout?.on("data", (part: Buffer) => {
      this.stdout.push(part);
      this.output += part.toString();
    });
    this.#child.stderr?.on("data", (part: Buffer) => (this.output += part.toString()));
    this.#child.stdin?.end(options.input ?? "");
    this.exited = new Promise((resolve) => this.#child.once("close", (code) => resolve(code ?? -1)));
  }

  async says(words: string): Promise<void> {
    await waitFor(
      `"${words}"`,
      () => {
        if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.output}`);
        return this.output.includes(words);
      },
      60_000,
    );
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.exited;
  }
}

/** A cluster of `npm start` at one host, and another host that can reach it. */
class World {
  readonly lan: Lan;
  readonly folder: string;

  constructor(lan: Lan, folder: string) {
    this.lan = lan;
    this.folder = folder;
  }

  run(host: "home" | "far", words: readonly string[], options: ConstructorParameters<typeof Program>[1] = {}): Program {
    const program = new Program(this.lan.inside(host, [process.execPath, ...words]), {
      ...options,
      environment: { XDG_CONFIG_HOME: path.join(this.folder, "profile"), ...options.environment },
    });
    cleanups.push(() => program.stop());
    return program;
  }

  async holdfast(words: readonly string[], input = ""): Promise<Buffer> {
    const program = this.run("home", ["packages/cli/src/main.ts", ...words], { input });
    if ((await program.exited) !== 0) throw new Error(`holdfast ${words.join(" ")}: ${program.output}`);
    return Buffer.concat(program.stdout);
  }

  async start(): Promise<void> {
    const shape = ["--masters", "3", "--chunkservers", "3", "--chunk-size-bytes", "1048576"];
    const where = ["--data", path.join(this.folder, "data"), "--advertise-host", this.lan.addressOf("home")];
    const cluster = this.run("home", ["packages/supervisor/src/main.ts", ...where, ...shape], {
      environment: { DFS_DEFAULT_USER_EMAIL: user.email, DFS_DEFAULT_USER_PASSWORD: user.password },
    });
    await cluster.says("Holdfast is ready");
    const login = ["login", "--server", "http://127.0.0.1:8080", "--email", user.email, "--password-stdin"];
    await this.holdfast(login, user.password);
  }

  /** A new join token, as it is read. */
  async token(): Promise<JoinToken> {
    const { joinToken } = JSON.parse(String(await this.holdfast(["admin", "node", "join-token", "--json"]))) as {
      joinToken: string;
    };
    const decoded = decodeJoinToken(joinToken);
    if (!decoded.ok) throw new Error(decoded.error);
    return decoded.value;
  }

  /** `holdfast node start` on the far machine. */
  node(name: string, token?: JoinToken): Program {
    const join = token === undefined ? [] : ["--join", encodeJoinToken(token), "--name", name];
    const words = ["node", "start", "--data", this.path(name), "--listen", `${this.lan.addressOf("far")}:0`, ...join];
    return this.run("far", ["packages/cli/src/main.ts", ...words]);
  }

  path(...names: readonly string[]): string {
    return path.join(this.folder, ...names);
  }

  async refused(name: string, token?: JoinToken): Promise<string> {
    const node = this.node(name, token);
    expect(await node.exited).not.toBe(0);
    return node.output;
  }
}

async function started(): Promise<World> {
  const lan = await Lan.create(["home", "far"]);
  cleanups.push(() => lan.destroy());
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-spread-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const world = new World(lan, folder);
  await world.start();
  return world;
}

it.skipIf(missing !== undefined)(
  "a cluster of npm start is joined from another machine over mutual TLS; whoever does not belong is told why",
  async () => {
    const world = await started();
    const token = await world.token();
    expect(token.authorityFingerprint).toMatch(/^[0-9a-f]{64}$/);

    const far = world.node("far", token);
    await far.says("knows this node");
    const content = randomBytes(20 << 20);
    await writeFile(world.path("kept.bin"), content);
    await world.holdfast(["put", world.path("kept.bin"), "/kept.bin"]);
    // The far node is one of three that are left: repair needs it, and its bytes go both ways.
    await world.holdfast(["admin", "node", "stop", "node-1", "--yes"]);
    await world.holdfast(["admin", "node", "fail", "node-1", "--yes"]);
    await world.holdfast(["admin", "health", "--wait", "--strict", "--timeout", "60s"]);
    expect((await world.holdfast(["cat", "/kept.bin"])).equals(content)).toBe(true);

    expect(await world.refused("used", token)).toContain("was used by far");
    const other = { ...(await world.token()), authorityFingerprint: "ab".repeat(32) };
    expect(await world.refused("fooled", other)).toContain("is not the cluster of the join token");
    const { authorityFingerprint: _, ...inTheClear } = await world.token();
    expect(await world.refused("clear", inTheClear)).toContain("in the clear is refused");
    expect(await world.refused("posing", { ...(await world.token()), secret: "0".repeat(64) })).toContain(
      "not one of this cluster's",
    );

    const thief = world.node("thief", await world.token());
    await thief.says("knows this node");
    await thief.stop();
    const identityFile = world.path("thief", "node.json");
    const own = await readFile(identityFile, "utf8");
    const { nodeUuid } = JSON.parse(await readFile(world.path("far", "node.json"), "utf8")) as { nodeUuid: string };
    await writeFile(identityFile, own.replace(/"nodeUuid": "[0-9a-f]+"/, `"nodeUuid": "${nodeUuid}"`));
    expect(await world.refused("thief")).toContain("far is in the cluster and has a certificate of its own");
    await writeFile(identityFile, own);
    await world.holdfast(["admin", "node", "remove", "thief", "--force", "--yes"]);
    expect(await world.refused("thief")).toContain("thief was removed from this cluster");

    for (const file of ["data/authority.pem", "data/node-2/certificate.pem", "far/certificate.pem"])
      expect((await stat(world.path(file))).mode & 0o777).toBe(0o600);
  },
);
