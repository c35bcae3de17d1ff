import path from "node:path";
import type { DataDirectory } from "./data-directory.ts";
import type { PlannedProcess } from "./plan.ts";
import { SupervisedProcess } from "./supervised-process.ts";

/** What all processes of a cluster have in common. */
export interface ProcessMakerOptions {
  /** Of the repository. */
  readonly root: string;
  readonly data: Pick<DataDirectory, "path" | "runPath">;
  /** Start again after an accidental death. */
  readonly isRestarted: boolean;
  /** Told of deaths and restarts. */
  readonly report: (line: string) => void;
}

/** Makes the supervised process of a planned one; does not start it. */
export type ProcessMaker = (planned: PlannedProcess) => SupervisedProcess;

/** Puts this machine's paths, Node's flags and the environment to what was planned. */
export function createProcessMaker(options: ProcessMakerOptions): ProcessMaker {
  const { root, data, isRestarted, report } = options;
  const supervision = { runPath: data.runPath, nodePath: process.execPath, isRestarted, report };
  return (planned) =>
    new SupervisedProcess(
      {
        name: planned.name,
        script: path.join(root, "packages", planned.package, "src/main.ts"),
        nodeFlags: nodeFlagsOf(planned),
        parameters: planned.parameters,
        environment: environmentOf(planned, data.path),
      },
      supervision,
    );
}

/** What a process must find in its environment, because it cannot be said by a flag. */
function environmentOf(planned: PlannedProcess, dataPath: string): Readonly<Record<string, string>> {
  switch (planned.package) {
    case "master":
      return {};
    case "chunkserver":
      // Disk operations wait in Node's thread pool; its size is read before any code of ours runs.
      return { UV_THREADPOOL_SIZE: "8" };
    case "gateway":
      return { DFS_USER_STORE: process.env["DFS_USER_STORE"] ?? path.join(dataPath, "user_store.json") };
  }
}

/**
 * Bytes on their way live outside of V8's heap, which by default marks its whole heap anew after every few megabytes of
 * them: a third of a chunkserver's time. With these two flags the buffers count as part of a heap of this size (MiB), and
 * cheap scavenges free them; measured: no full collection instead of one per 7 MB, and less memory in use.
 */
const bulkNodeFlags = ["--external-memory-accounted-in-global-limit", "--initial-heap-size=256"] as const;

function nodeFlagsOf(planned: PlannedProcess): readonly string[] {
  return planned.package === "master" ? [] : bulkNodeFlags;
}
