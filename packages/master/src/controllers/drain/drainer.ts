import { ok } from "@holdfast/base";
import type { Submitter } from "../../application/submission.ts";
import { countHeldCopies } from "../../domain/chunks/node-copy-sets.ts";
import { nodeIntent, nodeTable } from "../../domain/fleet/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { CopyNode } from "../repair/copy-node.ts";
import type { FleetProgressBoard } from "../fleet-progress.ts";
import { planDrains, type DrainView } from "./plan.ts";

/** What the drainer works with. */
export interface DrainerOptions {
  readonly tables: TableReader;
  readonly submitter: Submitter;
  readonly fleetProgress: FleetProgressBoard;
}

/** The end of a drain, and its progress for people; the copies themselves are planned with repair's. */
export class Drainer {
  readonly #options: DrainerOptions;

  constructor(options: DrainerOptions) {
    this.#options = options;
  }

  /** Commits NodeDrained for nodes that hold nothing any more that is needed, and that nobody writes to at present. */
  async finish(nodes: readonly CopyNode[]): Promise<void> {
    const { tables, submitter } = this.#options;
    const isDone = (reader: TableReader, nodeId: number): boolean =>
      reader.get(nodeTable, [nodeId])?.intent === nodeIntent.draining && countHeldCopies(reader, nodeId) === 0;
    const done = nodes.filter((node) => node.isLeaving && node.activeWriteCount === 0 && isDone(tables, node.nodeId));
    if (done.length === 0) return;
    await submitter.submit({
      actor: "controller:drain",
      decide: (now) => {
        const events = done
          .filter(({ nodeId }) => isDone(now, nodeId))
          .map(({ nodeId }) => ({ kind: "nodeDrained", nodeId }) as const);
        return ok({ events, outcome: {} });
      },
    });
  }

  showProgress(view: DrainView, bytesPerSecond: number): void {
    const nodeIds = view.nodes.filter((node) => node.isLeaving).map((node) => node.nodeId);
    const drains = planDrains(view, nodeIds).map(({ nodeId, bytesLeft, blockedReasons }) => {
      const remainingMs = bytesPerSecond === 0 ? 0 : Math.round((bytesLeft * 1000) / bytesPerSecond);
      return [nodeId, { remainingMs, blockedReasons }] as const;
    });
    this.#options.fleetProgress.setDrains(new Map(drains));
  }
}
