import { HoldfastError } from "@holdfast/base";
import type { Disk, Random } from "@holdfast/runtime";
import { chainBytes } from "./record.ts";
import { decodeSegmentHeader, encodeSegmentHeader, incarnationBytes, type LogIdentity } from "./segment-header.ts";

const identityName = "identity";

/** Whose log is wanted, and where. */
export interface LogPlace {
  readonly directory: string;
  readonly clusterId: string;
  readonly peer: number;
}

/**
 * The identity that a directory states, or undefined for one that was never finished. It has a segment header's form with
 * sequence 0. Errors: `wrongCluster` when it is not ours, `dataLoss` when it cannot be read.
 */
export async function readIdentity(disk: Disk, place: LogPlace): Promise<LogIdentity | undefined> {
  const path = `${place.directory}/${identityName}`;
  if ((await disk.stat(path)) === undefined) return undefined;
  const header = decodeSegmentHeader(await disk.readFile(path));
  if (header?.sequence !== 0) {
    throw new HoldfastError(
      "dataLoss",
      `${path} is damaged, so nobody knows whose log this is; nothing was changed. Restore it, or remove the whole folder and let the node join anew`,
    );
  }
  const { clusterId, peer } = header.identity;
  if (clusterId !== place.clusterId || peer !== place.peer) {
    const found = `master ${peer} of cluster "${clusterId}"`;
    throw new HoldfastError(
      "wrongCluster",
      `${place.directory} holds the log of ${found}, not of master ${place.peer} of cluster "${place.clusterId}"; nothing was changed. Check the data directory and the ids`,
    );
  }
  return header.identity;
}

/** A new identity; not on disk yet. */
export function drawIdentity(place: LogPlace, random: Random): LogIdentity {
  return { clusterId: place.clusterId, peer: place.peer, incarnation: random.bytes(incarnationBytes) };
}

/** Makes the identity durable. It is the last step of making a directory: where it stands, the first segment does too. */
export async function writeIdentity(disk: Disk, directory: string, identity: LogIdentity): Promise<void> {
  const path = `${directory}/${identityName}`;
  const file = await disk.open(`${path}.new`, "openOrCreate");
  try {
    await file.truncate(0);
    await file.write(
      encodeSegmentHeader({ identity, sequence: 0, nextIndex: 0, previousChain: new Uint8Array(chainBytes) }),
      0,
    );
    await file.syncData();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}
