import { spawn } from "node:child_process";
import path from "node:path";

const main = path.resolve(import.meta.dirname, "../../../packages/cli/src/main.ts");

/** What a command left behind. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The one document of `--json`. */
  json<T>(): T;
}

/** Runs the command line with a profile folder of its own. */
export class CommandLine {
  readonly #profileFolder: string;

  constructor(profileFolder: string) {
    this.#profileFolder = profileFolder;
  }

  /** Runs one command to its end. */
  run(
    words: readonly string[],
    options: { readonly input?: string | Buffer; readonly environment?: Record<string, string> } = {},
  ): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [main, ...words], {
        stdio: ["pipe", "pipe", "pipe"],
        env: {
          ...process.env,
          XDG_CONFIG_HOME: this.#profileFolder,
          HOLDFAST_SERVER: undefined,
          HOLDFAST_TOKEN: undefined,
          ...options.environment,
        },
      });
      const stdout: Buffer[] = [];
      let stderr = "";
      child.stdout.on("data", (part: Buffer) => stdout.push(part));
      child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
      child.once("error", reject);
      // A command that does not read its input closes it early.
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input ?? "");
      child.once("close", (code) => {
        const whole = Buffer.concat(stdout);
        resolve({ code: code ?? -1, stdout: whole, stderr, json: <T>() => JSON.parse(whole.toString()) as T });
      });
    });
  }

  /** Runs a command that must succeed. */
  async ok(words: readonly string[], options: { readonly input?: string | Buffer } = {}): Promise<CommandResult> {
    const result = await this.run(words, options);
    if (result.code !== 0)
      throw new Error(
        `holdfast ${words.join(" ")} ended with ${result.code}: ${result.stderr}${result.stdout.toString().slice(0, 2_000)}`,
      );
    return result;
  }
}
