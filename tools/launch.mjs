// The door for a newcomer's machine: plain JavaScript for Node 20, no dependency. Installs what is missing (the pinned
// pnpm, a new enough Node, the dependencies), then runs the asked command under the pinned Node.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const nodeBinary = path.join(root, "node_modules", "nodejs", "bin", process.platform === "win32" ? "node.exe" : "node");
const stampFile = path.join(root, "node_modules", ".holdfast-installed");

/** What each command runs under the pinned Node. */
const commands = {
  start: ["packages/supervisor/src/main.ts"],
  test: ["tools/test.ts"],
  check: ["tools/check.ts"],
  sim: ["tests/simulation/src/main.ts"],
  bench: ["bench/src/main.ts"],
  chaos: ["tests/chaos/src/main.ts"],
  gen: ["tools/gen.ts"],
  "raft:etcd-scripts": ["packages/raft/src/testing/etcd-scripts.ts"],
  "raft:explore": ["packages/raft/test/raft-explore.ts"],
  "raft:vopr": ["packages/raft/test/raft-vopr.ts"],
  "raft:bug-bank": ["packages/raft/test/raft-bug-bank.ts"],
  "raft:fuzz": ["packages/raft/test/raft-fuzz.ts"],
  "raft:show": ["packages/raft/test/raft-show.ts"],
  format: ["tools/format.ts"],
  holdfast: ["packages/cli/src/main.ts"],
};

/** Hash of everything that decides what an install brings. */
function installFingerprint() {
  const hash = createHash("sha256");
  hash.update(`${process.platform}-${process.arch}`);
  const manifests = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"];
  for (const folder of ["packages", "tests"]) {
    for (const name of readdirSync(path.join(root, folder)).sort())
      manifests.push(path.join(folder, name, "package.json"));
  }
  manifests.push(path.join("bench", "package.json"));
  for (const name of manifests) {
    const file = path.join(root, name);
    if (existsSync(file)) hash.update(name).update(readFileSync(file));
  }
  return hash.digest("hex");
}

function isInstalled(fingerprint) {
  return existsSync(nodeBinary) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === fingerprint;
}

/** Runs the pinned pnpm through npx. Prints its output only when it fails or when this is a terminal. */
function install(fingerprint) {
  // Not in "packageManager": pnpm would then fetch and lock itself a second time.
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  console.error(`Installing dependencies with pnpm ${manifest.config.pnpm} (once; about half a minute) ...`);
  const result = spawnSync("npx", ["--yes", `pnpm@${manifest.config.pnpm}`, "install", "--frozen-lockfile"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, CI: "true", npm_config_update_notifier: "false" },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status !== 0) {
    console.error(result.stdout ?? "", result.stderr ?? "");
    console.error(
      `Could not install the dependencies (${result.error?.message ?? `exit ${result.status}`}). Nothing was started. Is the npm registry reachable?`,
    );
    process.exit(1);
  }
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, fingerprint);
}

const [name, ...parameters] = process.argv.slice(2);
const script = commands[name];
if (script === undefined) {
  console.error(`Unknown command "${name ?? ""}". One of: ${Object.keys(commands).join(", ")}.`);
  process.exit(2);
}
const fingerprint = installFingerprint();
if (!isInstalled(fingerprint)) install(fingerprint);

const child = spawn(nodeBinary, [...script.map((part) => path.join(root, part)), ...parameters], {
  stdio: "inherit",
  cwd: name === "holdfast" ? process.cwd() : root,
  env: {
    ...process.env,
    // Compiled code is kept between starts: a later start of the cluster takes three quarters of the time.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? path.join(root, "node_modules", ".cache", "compile"),
    HOLDFAST_CALLER_DIRECTORY: process.env.INIT_CWD ?? process.cwd(),
    PATH: `${path.join(root, "node_modules", ".bin")}${path.delimiter}${process.env.PATH ?? ""}`,
  },
});
// Whoever is asked to stop passes it on; the child ignores a signal that reaches it twice.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`Could not run ${nodeBinary}: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
});
