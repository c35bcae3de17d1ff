import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ProbeAnswer, ProbeQuestion } from "./scale-probe.ts";

const mainPath = path.resolve(import.meta.dirname, "../../packages/master/src/main.ts");
const probePath = path.join(import.meta.dirname, "scale-probe.ts");

/** What lets the simulated nodes in. */
export const joinSecret = "the join secret of a cluster that is only measured";

/** How a master is started. */
export interface ScaleMasterOptions {
  readonly data: string;
  /** Settings that differ from the production preset, as flags. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Memory of a process by the kernel's account, in bytes. */
export interface ProcessMemory {
  readonly rss: number;
  /** Pages of files (LevelDB maps its tables), which the kernel takes back when it needs room. */
  readonly files: number;
  /** The highest `rss` so far. */
  readonly peak: number;
}

/** The shipped master in a process of its own, the only one of its group, on a folder that is there. */
export class ScaleMaster {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #healthPort: number;

  private constructor(child: ChildProcess, { address, healthPort }: { address: string; healthPort: number }) {
    this.#child = child;
    this.address = address;
    this.#healthPort = healthPort;
  }

  static async start({ data, settings }: ScaleMasterOptions): Promise<ScaleMaster> {
    const [port, healthPort] = await freePorts();
    const address = `127.0.0.1:${port}`;
    const flags = {
      ...{ "--id": "1", "--name": "master-1", "--listen": address, "--peers": `1=${address}`, "--data": data },
      ...{ "--cluster-id": "0123456789abcdef0123456789abcdef", "--preset": "production", "--log-level": "warn" },
      ...{ "--health-port": `${healthPort}`, "--join-secret": joinSecret, ...settings },
    };
    const child = fork(mainPath, Object.entries(flags).flat(), {
      execArgv: ["--import", probePath],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child.stderr?.pipe(createWriteStream(path.join(data, "..", "master.log"), { flags: "a" }));
    return new ScaleMaster(child, { address, healthPort });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Settles when it says of itself that it is ready. */
  async ready(): Promise<void> {
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`the master ended with code ${this.#child.exitCode}`);
      const answer = await fetch(`http://127.0.0.1:${this.#healthPort}/readyz`).catch(() => undefined);
      if (answer?.status === 200) return;
      await delay(10);
    }
  }

  /** Its figures since the last call. */
  async read(): Promise<ProbeAnswer> {
    const answered = once(this.#child, "message");
    this.#ask({ probe: "read" });
    const [answer] = (await answered) as [ProbeAnswer];
    this.#ask({ probe: "restart" });
    return answer;
  }

  /** Writes a CPU profile of the next so many ms. */
  profile(file: string, forMs: number): void {
    this.#ask({ probe: "profile", path: file, forMs });
  }

  async memory(): Promise<ProcessMemory> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    const bytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
    return { rss: bytes("VmRSS"), files: bytes("RssFile"), peak: bytes("VmHWM") };
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    await ended;
  }

  #ask(question: ProbeQuestion): void {
    this.#child.send(question);
  }
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  // A TCP server that listens has an address of this shape.
  const [first, second] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [first ?? 0, second ?? 0];
}
