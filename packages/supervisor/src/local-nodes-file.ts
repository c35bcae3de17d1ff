import { readFile } from "node:fs/promises";
import { HoldfastError } from "@holdfast/base";
import { writeFileDurably } from "./write-file-durably.ts";

/** What became of this machine's chunkservers beyond the settings; names in order. */
export interface LocalNodesContent {
  /** Added later; they run at the next start, too. */
  readonly added: readonly string[];
  /** Stopped on purpose; they stay so. */
  readonly stopped: readonly string[];
}

/** `<data>/local-nodes.json` (docs/formats/data-directory.md). */
export interface LocalNodesFile {
  readonly content: LocalNodesContent;
  /** Durable when it settles. */
  write(content: LocalNodesContent): Promise<void>;
}

/** Reads it; a missing one is empty. Errors: precondition (damaged or newer; it is left as it is). */
export async function openLocalNodesFile(file: string): Promise<LocalNodesFile> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const content = text === undefined ? { added: [], stopped: [] } : contentFrom(text);
  if (content === undefined) {
    throw new HoldfastError(
      "precondition",
      `${file} is damaged or was written by another version of Holdfast. Nothing was changed. Restore it from a backup, or remove it to run the nodes of --chunkservers.`,
    );
  }
  return {
    content,
    write: (changed) => writeFileDurably(file, `${JSON.stringify({ format: 1, ...changed }, undefined, 2)}\n`),
  };
}

function contentFrom(text: string): LocalNodesContent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { format, added, stopped } = value as Record<string, unknown>;
  return format === 1 && areNames(added) && areNames(stopped) ? { added, stopped } : undefined;
}

function areNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string" && /^node-[0-9]{1,6}$/.test(name));
}
