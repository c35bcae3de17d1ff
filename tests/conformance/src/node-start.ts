import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { waitFor } from "./wait-for.ts";

const main = path.resolve(import.meta.dirname, "../../../packages/cli/src/main.ts");

/** `holdfast node start` in the foreground. */
export class NodeStart {
  readonly #child: ChildProcess;
  readonly exited: Promise<number>;
  output = "";

  constructor(words: readonly string[]) {
    this.#child = spawn(process.execPath, [main, "node", "start", ...words], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (part: Buffer) => (this.output += part.toString()));
    this.exited = once(this.#child, "close").then(([code]) => Number(code ?? -1));
  }

  /** Waits until it says that the leader knows it; throws with what it said instead. */
  async isIn(): Promise<void> {
    await waitFor("the node to be in", () => {
      if (this.#child.exitCode !== null) throw new Error(`the node ended: ${this.output}`);
      return this.output.includes("knows this node");
    });
  }

  /** Its machine is gone: the chunkserver that it runs is killed with it. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.exited;
  }
}
