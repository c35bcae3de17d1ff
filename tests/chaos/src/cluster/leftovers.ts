import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { hasCommand, runCommand } from "./run-command.ts";

const folderPrefix = "holdfast-chaos-";

/** Where a harness keeps the data of a cluster: its process id is in the name, so that the next one knows what is left over. */
export function clusterFolderPrefix(): string {
  return path.join(tmpdir(), `${folderPrefix}${process.pid}-`);
}

/** Takes down what harnesses left that were killed: mounts and networks. Data and logs stay, for whoever looks for the reason. */
export async function clearLeftovers(): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  for (const line of mounts.split("\n")) {
    const folder = line.split(" ")[1] ?? "";
    const owner = new RegExp(`/${folderPrefix}(\\d+)-`).exec(folder)?.[1];
    if (owner !== undefined && !isAlive(owner)) await runCommand(["umount", "-l", folder]);
  }
  const namespaces = await readdir("/run/netns").catch(() => []);
  for (const namespace of namespaces) {
    const owner = /^hf(\d+)x\d+/.exec(namespace)?.[1];
    if (owner !== undefined && !isAlive(owner)) await hasCommand(["ip", "netns", "del", namespace]);
  }
}

function isAlive(pid: string): boolean {
  return existsSync(`/proc/${pid}`);
}
