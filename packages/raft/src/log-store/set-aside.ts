import type { Logger } from "@holdfast/observability";
import type { Disk } from "@holdfast/runtime";

/** Stands in a log's folder while the log that is there must not be used any more. */
const renewalName = "renewal";
const setAsideSuffix = ".set-aside";
const logNames = /^(identity|identity\.new|log-[0-9a-f]{16})$/;

/** Orders that the next opening sets the log aside; durable when it resolves. */
export async function orderRenewal(disk: Disk, directory: string): Promise<void> {
  const file = await disk.open(`${directory}/${renewalName}`, "openOrCreate");
  await file.close();
  await disk.syncDirectory(directory);
}

/** Whether a renewal was ordered and is not over. */
export async function isRenewalOrdered(disk: Disk, directory: string): Promise<boolean> {
  return (await disk.stat(`${directory}/${renewalName}`)) !== undefined;
}

/**
 * Renames everything of the present log, so that a new one can be made in the folder; what an earlier renewal left is
 * removed. Nothing of the present log is destroyed: people (or a later tool) can still read it. Repeatable after a crash.
 */
export async function setLogAside(disk: Disk, directory: string, logger: Logger): Promise<void> {
  const names = await disk.list(directory);
  const current = names.filter((name) => logNames.test(name));
  if (current.includes("identity"))
    for (const name of names) if (name.endsWith(setAsideSuffix)) await disk.remove(`${directory}/${name}`);
  // The identity goes last: while it is there, what stands aside is from an earlier time.
  const ordered = current.toSorted((left, right) => Number(left === "identity") - Number(right === "identity"));
  for (const name of ordered) await disk.rename(`${directory}/${name}`, `${directory}/${name}${setAsideSuffix}`);
  await disk.syncDirectory(directory);
  logger.error("raft.log_set_aside", { directory, files: ordered.length });
}

/** The new log is founded: the order is carried out. */
export async function endRenewal(disk: Disk, directory: string): Promise<void> {
  await disk.remove(`${directory}/${renewalName}`);
  await disk.syncDirectory(directory);
}
