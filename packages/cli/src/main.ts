import type { Command } from "./command.ts";
import { login, logout, userCreate, whoami } from "./commands/account.ts";
import { adminFaultLs, adminFaultStop } from "./commands/admin-fault.ts";
import { adminBalance, adminChunk, adminRepair, adminReplication } from "./commands/admin-housekeeping.ts";
import { adminJoinToken } from "./commands/admin-join-token.ts";
import { adminNodeLabel, adminNodeLs, adminNodeShow, adminNodeStart, adminNodeStop } from "./commands/admin-node.ts";
import {
  adminFaultStart,
  adminNodeDrain,
  adminNodeFail,
  adminNodeMaintenance,
  adminNodeRemove,
  adminNodeUndrain,
} from "./commands/admin-node-order.ts";
import { adminNodeReplace } from "./commands/admin-node-replace.ts";
import { adminEvents, adminHealth, adminStatus } from "./commands/admin-status.ts";
import { adminWeakest, adminWhatIf } from "./commands/admin-what-if.ts";
import { du, ls, stat } from "./commands/browse.ts";
import { mkdir, mv, rm } from "./commands/change.ts";
import { nodeStart } from "./commands/node.ts";
import { cat, get, put } from "./commands/transfer.ts";
import { trashLs, trashPurge, trashRestore } from "./commands/trash.ts";
import { exitCodeOf, exitCodes, ExitSignal, toHoldfastError, UsageError } from "./exit-code.ts";
import { createOutput } from "./output.ts";
import { createTerminal } from "./terminal.ts";

/** Every command by its words. */
const commands: Readonly<Record<string, Command>> = {
  login,
  logout,
  whoami,
  ls,
  stat,
  du,
  mkdir,
  put,
  get,
  cat,
  mv,
  rm,
  "trash ls": trashLs,
  "trash restore": trashRestore,
  "trash purge": trashPurge,
  "user create": userCreate,
  "node start": nodeStart,
  "admin status": adminStatus,
  "admin health": adminHealth,
  "admin node ls": adminNodeLs,
  "admin node show": adminNodeShow,
  "admin node drain": adminNodeDrain,
  "admin node undrain": adminNodeUndrain,
  "admin node maintenance": adminNodeMaintenance,
  "admin node fail": adminNodeFail,
  "admin node replace": adminNodeReplace,
  "admin node remove": adminNodeRemove,
  "admin node label": adminNodeLabel,
  "admin node join-token": adminJoinToken,
  "admin node start": adminNodeStart,
  "admin node stop": adminNodeStop,
  "admin fault start": adminFaultStart,
  "admin fault stop": adminFaultStop,
  "admin fault ls": adminFaultLs,
  "admin what-if": adminWhatIf,
  "admin weakest": adminWeakest,
  "admin balance": adminBalance,
  "admin repair": adminRepair,
  "admin replication": adminReplication,
  "admin chunk": adminChunk,
  "admin events": adminEvents,
};

const usageColumns = 58;

function helpText(): string {
  const lines = Object.values(commands).map(({ usage, summary }) =>
    usage.length <= usageColumns
      ? `  ${usage.padEnd(usageColumns)}  ${summary}`
      : `  ${usage}\n  ${"".padEnd(usageColumns)}  ${summary}`,
  );
  return `Keeps files in a Holdfast cluster. Every line below begins with "holdfast".\n\n${lines.join("\n")}\n\n--json prints one document (JSON Lines for long work). Remote paths are absolute (/docs/a.txt); - is standard input or output.`;
}

/** The longest run of leading words that names a command. */
function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (let length = Math.min(3, words.length); length > 0; length--) {
    const command = commands[words.slice(0, length).join(" ")];
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

/** Runs one command line; resolves with the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const isJson = words.includes("--json");
  const output = createOutput(isJson);
  if (words.length === 0 || words[0] === "help" || words.includes("--help")) {
    process.stdout.write(`${helpText()}\n`);
    return exitCodes.ok;
  }
  const controller = new AbortController();
  process.on("SIGINT", () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  });
  try {
    const found = findCommand(words);
    if (found === undefined)
      throw new UsageError(`There is no command "${words.slice(0, 2).join(" ")}". See: holdfast help`);
    await found.command.run(found.rest, { output, signal: controller.signal, terminal: createTerminal() });
    return exitCodes.ok;
  } catch (thrown) {
    const code = controller.signal.aborted ? exitCodes.interrupted : exitCodeOf(thrown);
    if (isJson) output.record({ messageType: "exit_error", code, ...describe(thrown) });
    else output.note(thrown instanceof ExitSignal ? thrown.message : `error: ${describe(thrown).message}`);
    return code;
  }
}

function describe(thrown: unknown): { kind: string; message: string; requestId?: string } {
  if (thrown instanceof UsageError) return { kind: "usage", message: thrown.message };
  if (thrown instanceof ExitSignal) return { kind: "outcome", message: thrown.message };
  const error = toHoldfastError(thrown);
  const suffix = error.requestId === undefined || error.requestId === "" ? "" : ` [req ${error.requestId}]`;
  return {
    kind: error.kind,
    message: `${error.message}${suffix}`,
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
  };
}

// A reader that goes away (`| head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
/** Settles when everything that was written has left this process, or its reader is gone. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

process.exitCode = await main(process.argv.slice(2));
// A slow reader behind a pipe must get the end, too.
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Kept-alive connections must not hold the process.
process.exit();
