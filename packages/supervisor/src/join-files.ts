import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { writeFileDurably } from "./write-file-durably.ts";

/** What the chunkservers of this machine join with, and as whom they have joined (docs/formats/data-directory.md). */
export interface JoinFiles {
  /** From now on a node that has not joined yet joins with this secret of a join token. Durable when it settles. */
  keep(name: string, joinSecret: string): Promise<void>;
  /** The file with the secret that a node is to be started with. One that has joined needs its token no more. */
  secretFileOf(name: string): Promise<string>;
  /** Who it is in the cluster; 0 before it joined, or when its directory cannot be read (the node itself says why). */
  nodeIdOf(name: string): Promise<number>;
}

const suffix = ".join";

/** The node whose directory, or whose secret for joining, has this name in the data directory. */
export function nodeNameOf(fileName: string): string {
  return fileName.endsWith(suffix) ? fileName.slice(0, -suffix.length) : fileName;
}

/** The files of one data directory; `joinSecretFile` lets any node of this machine in. */
export function createJoinFiles(dataPath: string, joinSecretFile: string): JoinFiles {
  // Not in `run`: without it the node would join beside the one whose place it was to take.
  const ownFileOf = (name: string): string => path.join(dataPath, `${name}${suffix}`);
  const nodeIdOf = async (name: string): Promise<number> => {
    // One folder that cannot be read hides no other node: its own process says what is wrong with it.
    const text = await readFile(path.join(dataPath, name, "node.json"), "utf8").catch(() => "");
    return nodeIdFrom(text);
  };
  return {
    nodeIdOf,
    keep: (name, joinSecret) => writeFileDurably(ownFileOf(name), `${joinSecret}\n`, 0o600),
    async secretFileOf(name) {
      const ownFile = ownFileOf(name);
      if ((await readIfThere(ownFile)) === undefined) return joinSecretFile;
      if ((await nodeIdOf(name)) === 0) return ownFile;
      await rm(ownFile, { force: true });
      return joinSecretFile;
    },
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

function nodeIdFrom(text: string): number {
  try {
    const value: unknown = JSON.parse(text);
    const nodeId = typeof value === "object" && value !== null && "nodeId" in value ? value.nodeId : 0;
    return typeof nodeId === "number" && Number.isSafeInteger(nodeId) ? nodeId : 0;
  } catch (error) {
    if (error instanceof SyntaxError) return 0;
    throw error;
  }
}
