// Our Raft beside etcd on this machine, in one run: three members on loopback, each with its default fsync.
// etcd's own load tool drives etcd (`etcdctl check perf`: keys of 256 B, values of 1 KiB); our load has as many callers.
// Needs Debian's etcd-server and etcd-client. node bench/src/raft-versus-etcd.ts [--load xl] [--seconds 20] [--bytes 256]
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ProcessCluster } from "../../packages/raft/test/process-cluster.ts";

/** Clients of each of `check perf`'s loads, as its help says. */
const clientsOf: Readonly<Record<string, number>> = { s: 50, m: 200, l: 500, xl: 1000 };

const { values } = parseArgs({
  options: {
    load: { type: "string", default: "xl" },
    seconds: { type: "string", default: "20" },
    bytes: { type: "string", default: "256" },
  },
});
const callers = clientsOf[values.load];
if (callers === undefined) throw new Error("--load is one of s, m, l, xl");

const etcdRate = await measureEtcd(values.load);
console.log(`etcd, check perf --load=${values.load} (${callers} clients): ${etcdRate} writes/s`);
const our = await measureOurs(callers);
const ourRate = Math.round(our.applied / our.seconds);
console.log(
  `ours, ${callers} callers, ${values.bytes} B: ${ourRate} entries/s, p50 ${our.p50.toFixed(1)} ms, p99 ${our.p99.toFixed(1)} ms, ${our.failed} failed`,
);
console.log(`ratio: ${(ourRate / etcdRate).toFixed(1)}`);

async function measureOurs(count: number) {
  const cluster = await ProcessCluster.create(3, { execArgv: () => [] });
  try {
    await cluster.startAll();
    const leader = await cluster.leader();
    const load = { kind: "load", callers: count, entryBytes: Number(values.bytes) } as const;
    await leader.ask({ ...load, seconds: 3 }, "load");
    return await leader.ask({ ...load, seconds: Number(values.seconds) }, "load");
  } finally {
    await cluster.destroy();
  }
}

async function measureEtcd(load: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "etcd-"));
  const members: ChildProcess[] = [];
  try {
    const ports = await freePorts(6);
    const clientUrls = ports.slice(0, 3).map((port) => `http://127.0.0.1:${port}`);
    const peerUrls = ports.slice(3).map((port) => `http://127.0.0.1:${port}`);
    const initial = peerUrls.map((url, index) => `m${index}=${url}`).join(",");
    for (const [index, clientUrl] of clientUrls.entries()) {
      const peerUrl = peerUrls[index] ?? "";
      members.push(
        spawn(
          "etcd",
          [
            ...["--name", `m${index}`, "--data-dir", join(folder, `m${index}`), "--initial-cluster", initial],
            ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
            ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl, "--log-level", "error"],
          ],
          { stdio: "ignore" },
        ),
      );
    }
    const endpoints = clientUrls.join(",");
    await untilHealthy(endpoints);
    const report = await etcdctl(endpoints, ["check", "perf", `--load=${load}`]);
    const rate = /(\d+) writes\/s/.exec(report)?.[1];
    if (rate === undefined) throw new Error(`etcd's report names no rate: ${report.slice(-400)}`);
    return Number(rate);
  } finally {
    for (const member of members) member.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilHealthy(endpoints: string): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const report = await etcdctl(endpoints, ["endpoint", "health"]);
    if (report.split("is healthy").length === 4) return;
    await sleep(500);
  }
  throw new Error("etcd's three members were not healthy within 30 s");
}

/** Whatever the tool prints, whether it is content or not. */
async function etcdctl(endpoints: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const environment = { ...process.env, ETCDCTL_API: "3" };
    execFile(
      "etcdctl",
      ["--endpoints", endpoints, ...parameters],
      { env: environment, maxBuffer: 64 << 20 },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
