import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { SimWorld } from "@holdfast/runtime/sim";
import { type Awaited, awaitStatus } from "../run/cluster-watcher.ts";
import type { CopyChecker } from "./copy-checker.ts";

/** What is waited for and with what. */
export interface FullCopiesOptions extends Omit<Awaited, "until"> {
  readonly checker: CopyChecker;
  /** A machine that is gone. */
  readonly without?: string;
}

/**
 * Waits until the leader counts no chunk with too few copies, and every needed chunk is whole on as many disks as wanted.
 * Gives what is short when the time is over, in words, or undefined. The disks are looked at, too: "healthy" is not
 * believed.
 */
export async function awaitFullCopies(world: SimWorld, options: FullCopiesOptions): Promise<string | undefined> {
  const { checker, without } = options;
  const until = (status: GetClusterStatusResponse): boolean =>
    shortageOf(status) === undefined && checker.flaws(without).length === 0;
  const { isReached, latest } = await awaitStatus(world, { ...options, until });
  if (isReached) return undefined;
  const [onDisk] = checker.flaws(without);
  const told = latest === undefined ? "no leader told" : shortageOf(latest);
  return [told, onDisk].filter((text) => text !== undefined).join("; ");
}

function shortageOf({ chunks, repair }: GetClusterStatusResponse): string | undefined {
  if (chunks === undefined) return "no answer about chunks";
  const { under, missing, total } = chunks;
  if (under === 0n && missing === 0n) return undefined;
  const stop = repair?.stoppedReason ?? "";
  const stopped = stop === "" ? "" : `; stopped: ${stop}`;
  return `${under} short and ${missing} missing of ${total}; ${repair?.activeChunks ?? 0n} being copied${stopped}`;
}
