import { spawn } from "node:child_process";

/** Runs a program to its end and returns what it printed. Rejects with its complaint when it fails. */
export async function runCommand(command: readonly string[], input?: string): Promise<string> {
  const [program = "", ...parameters] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
    let output = "";
    let complaint = "";
    child.stdout?.on("data", (part: Buffer) => (output += part.toString()));
    child.stderr?.on("data", (part: Buffer) => (complaint += part.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command.join(" ")} ended with ${code}: ${complaint.trim()}`));
    });
    child.stdin?.on("error", reject);
    child.stdin?.end(input);
  });
}

/** Whether a program can be run at all. */
export async function hasCommand(command: readonly string[]): Promise<boolean> {
  return runCommand(command).then(
    () => true,
    () => false,
  );
}
