import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-gateway-"));
});
afterAll(async () => rm(directory, { recursive: true }));

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

function run(parameters: readonly string[], environment: Record<string, string> = {}): Run {
  const main = join(import.meta.dirname, "main.ts");
  // Nothing listens on port 9 of the loopback: a cluster whose masters are all gone.
  const all = [main, "--masters", "127.0.0.1:9", "--host", "127.0.0.1", "--run-directory", directory, ...parameters];
  const child = spawn(process.execPath, all, { env: { PATH: process.env["PATH"] ?? "", ...environment } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  return { child, output: () => output, exit: once(child, "close").then(([code]) => code as number | null) };
}

async function origin({ output, child }: Run): Promise<string> {
  for (;;) {
    const address = /"gateway\.listening".*"address":"([^"]+)"/.exec(output())?.[1];
    if (address !== undefined) return `http://${address}`;
    if (child.exitCode !== null) throw new Error(`the gateway ended: ${output()}`);
    await once(child.stderr ?? child, "data");
  }
}

test("without masters it is up, not ready, says why, and stops cleanly", async () => {
  const gateway = run(["--port", "0"]);
  const at = await origin(gateway);
  expect((await fetch(`${at}/healthz`)).status).toBe(200);
  const ready = await fetch(`${at}/readyz`);
  expect({ status: ready.status, text: await ready.text() }).toMatchObject({
    status: 503,
    text: expect.stringContaining("no leader"),
  });
  gateway.child.kill("SIGTERM");
  expect(await gateway.exit).toBe(0);
});

test("a malformed accounts file stops the start with every fault, and no secret", async () => {
  const store = join(directory, "user_store.json");
  await writeFile(
    store,
    JSON.stringify({ version: 1, users: [{ email: "x", passwordHash: "hunter2" }, { email: "a@b" }] }),
  );
  const gateway = run(["--port", "0"], { DFS_USER_STORE: store });
  expect(await gateway.exit).toBe(2);
  expect(gateway.output()).toContain("users[0].email must be an e-mail address");
  expect(gateway.output()).toContain("users[1].passwordHash must be an argon2id hash");
  expect(gateway.output()).not.toContain("hunter2");
});

test("half a default user, or a weak one, stops the start", async () => {
  const half = run(["--port", "0"], { DFS_DEFAULT_USER_EMAIL: "ada@example.org" });
  expect(await half.exit).toBe(2);
  expect(half.output()).toContain("go together");
  const weak = run(["--port", "0"], { DFS_DEFAULT_USER_EMAIL: "ada@example.org", DFS_DEFAULT_USER_PASSWORD: "short" });
  expect(await weak.exit).toBe(2);
  expect(weak.output()).toContain("at least 8 characters");
});

test("a taken port is told", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const gateway = run(["--port", String(port)]);
  expect(await gateway.exit).toBe(1);
  expect(gateway.output()).toContain(`cannot listen on 127.0.0.1:${port}`);
  other.close();
});
