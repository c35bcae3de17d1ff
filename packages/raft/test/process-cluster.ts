import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import type { MemberCommand, MemberOptions, MemberReport } from "./member-protocol.ts";

type Report<Kind extends MemberReport["kind"]> = Extract<MemberReport, { kind: Kind }>;

/** A member as a process of its own. */
export class MemberProcess {
  readonly id: number;
  readonly child: ChildProcess;
  readonly #waiting: {
    readonly kind: string;
    readonly resolve: (report: MemberReport) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  isReadyToLead = false;

  constructor(id: number, child: ChildProcess, onReady: () => void) {
    this.id = id;
    this.child = child;
    child.on("message", (report: MemberReport) => {
      if (report.kind === "readyToLead") {
        this.isReadyToLead = true;
        onReady();
      }
      const position = this.#waiting.findIndex(({ kind }) => kind === report.kind);
      if (position >= 0) this.#waiting.splice(position, 1)[0]?.resolve(report);
    });
    child.on("exit", (code, signal) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`member ${id} ended (${code ?? signal})`));
    });
  }

  /** The next report of a kind. */
  next<Kind extends MemberReport["kind"]>(kind: Kind): Promise<Report<Kind>> {
    return new Promise((resolve, reject) =>
      this.#waiting.push({ kind, resolve: resolve as (report: MemberReport) => void, reject }),
    );
  }

  /** Sends a command and waits for its answer. */
  ask<Kind extends MemberReport["kind"]>(command: MemberCommand, answer: Kind): Promise<Report<Kind>> {
    const report = this.next(answer);
    this.child.send(command);
    return report;
  }

  /** Kills it as `kill -9` does and waits for its end. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }

  /** Stops it cleanly and waits for its end. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    this.child.send({ kind: "stop" } satisfies MemberCommand);
    return ended;
  }
}

/** What all members of a cluster of processes get. */
export interface ProcessClusterOptions extends Pick<MemberOptions, "settings" | "logLevel"> {
  /** Arguments for Node itself. */
  readonly execArgv?: (id: number) => readonly string[];
}

/** Three (or more) members as real processes on loopback, with their logs under one temporary folder. */
export class ProcessCluster {
  readonly members = new Map<number, MemberProcess>();
  readonly directory: string;
  readonly #addresses: readonly string[];
  readonly #options: ProcessClusterOptions;
  #onReady: (() => void)[] = [];

  private constructor(directory: string, addresses: readonly string[], options: ProcessClusterOptions) {
    this.directory = directory;
    this.#addresses = addresses;
    this.#options = options;
  }

  static async create(size: number, options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-raft-"));
    const addresses: string[] = [];
    for (let index = 0; index < size; index++) addresses.push(`127.0.0.1:${await freePort()}`);
    return new ProcessCluster(directory, addresses, options);
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#addresses.map((_, index) => this.start(index + 1)));
  }

  async start(id: number): Promise<MemberProcess> {
    const { settings, logLevel, execArgv } = this.#options;
    const options: MemberOptions = {
      id,
      addresses: this.#addresses,
      directory: join(this.directory, `member-${id}`),
      ...(settings === undefined ? {} : { settings }),
      ...(logLevel === undefined ? {} : { logLevel }),
    };
    const script = fileURLToPath(new URL("member-process.ts", import.meta.url));
    const child = fork(script, [JSON.stringify(options)], { execArgv: [...(execArgv?.(id) ?? [])] });
    const member = new MemberProcess(id, child, () => {
      for (const other of this.members.values()) if (other !== member) other.isReadyToLead = false;
      for (const resolve of this.#onReady.splice(0)) resolve();
    });
    this.members.set(id, member);
    await member.next("started");
    return member;
  }

  /** The newest leader, once there is one. */
  async leader(): Promise<MemberProcess> {
    for (;;) {
      const leader = [...this.members.values()].find(({ isReadyToLead }) => isReadyToLead);
      if (leader !== undefined) return leader;
      await new Promise<void>((resolve) => this.#onReady.push(resolve));
    }
  }

  /** Kills a member. */
  async kill(id: number): Promise<void> {
    const member = this.members.get(id);
    this.members.delete(id);
    await member?.kill();
  }

  /** Kills all at once. */
  async killAll(): Promise<void> {
    await Promise.all([...this.members.keys()].map((id) => this.kill(id)));
  }

  /** Kills all and removes the folder. */
  async destroy(): Promise<void> {
    await this.killAll();
    await rm(this.directory, { recursive: true, force: true });
  }
}
