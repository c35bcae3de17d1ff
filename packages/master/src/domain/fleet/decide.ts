import { ok, refused } from "@holdfast/base";
import type { DecideResult } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { clusterTable, nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { drillBehindSilence } from "./drills.ts";
import { admitByToken } from "./decide-admission.ts";
import { takePlace } from "./decide-replacement.ts";
import { explainRemoval } from "./replacements.ts";
import { nodeByNameTable, nodeByUuidTable, nodeIntent, nodeTable, type NodeRow } from "./tables.ts";

/** What a node says of itself with its first report. */
export interface NodeIntroduction {
  /** From its identity file, 32 hex digits. */
  readonly nodeUuid: string;
  /** Of its directory; empty before it joined. */
  readonly clusterId: string;
  readonly name: string;
  readonly address: string;
  readonly ip: string;
  readonly mac: string;
  readonly zone: string;
  readonly rack: string;
  readonly capacityBytes: number;
}

/** What a node shows to be let in, as the border has checked it. */
export interface JoinProof {
  /** It showed the cluster's join secret, or this cluster lets everybody in. */
  readonly isAdmitted: boolean;
  /** SHA-256 of what it showed; undefined when it showed nothing. */
  readonly credentialSha256: Uint8Array | undefined;
}

/** A change of capacity below this share is not worth an event. */
const capacityChangeShareMin = 0.01;

const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * Lets a node in, or notes what is new about one that is in. Idempotent: nothing new gives no events.
 * A node that is not in needs a proof. Errors: `denied` (no proof, or a token that does not work; says why),
 * `wrongCluster`, `nameTaken`, `precondition` (the node was removed), `invalidArgument`, `unavailable` (the log has no
 * cluster yet).
 */
export function decideIntroduction(
  tables: TableReader,
  introduction: NodeIntroduction,
  entry: { readonly proof: JoinProof; readonly atMs: number },
): DecideResult {
  const cluster = tables.get(clusterTable, []);
  if (cluster === undefined) return refuse("unavailable", "The cluster is not initialised yet. Try again in a moment.");
  if (introduction.clusterId !== "" && introduction.clusterId !== cluster.clusterId) {
    return refuse(
      "wrongCluster",
      `This node's directory belongs to cluster ${introduction.clusterId}, this is cluster ${cluster.clusterId}. ` +
        "Nothing in it was touched. Start it with an empty directory, or against its own cluster.",
    );
  }
  const flaw = flawOf(introduction);
  if (flaw !== undefined) return refuse("invalidArgument", flaw);
  const known = tables.get(nodeByUuidTable, [introduction.nodeUuid]);
  const row = known === undefined ? undefined : tables.get(nodeTable, [known.nodeId]);
  return row === undefined ? decideJoin(tables, introduction, entry) : decideReturn(tables, row, introduction);
}

/** NodeDown for those that are not down yet, at this leader time; each names the drill that caused it, if one did. */
export function decideNodesDown(
  tables: TableReader,
  nodes: readonly { readonly nodeId: number; readonly reason: string }[],
  atMs: number,
): DomainEvent[] {
  return nodes
    .filter(({ nodeId }) => tables.get(nodeTable, [nodeId])?.isDown === false)
    .map(({ nodeId, reason }) => {
      return { kind: "nodeDown", nodeId, reason, drillId: drillBehindSilence(tables, nodeId, atMs) };
    });
}

/** NodeUp for those that are down. */
export function decideNodesUp(tables: TableReader, nodeIds: readonly number[]): DomainEvent[] {
  return nodeIds
    .filter((nodeId) => tables.get(nodeTable, [nodeId])?.isDown === true)
    .map((nodeId) => ({ kind: "nodeUp", nodeId }));
}

function decideJoin(
  tables: TableReader,
  introduction: NodeIntroduction,
  { proof, atMs }: { readonly proof: JoinProof; readonly atMs: number },
): DecideResult {
  const { clusterId: _, ...own } = introduction;
  const admission = proof.isAdmitted ? ok(0) : admitByToken(tables, introduction, { proof, atMs });
  if (!admission.ok) return admission;
  const [nodeId = 1] = nextIds(tables, "node");
  const joinTokenId = admission.value;
  const { place, events } = takePlace(tables, { joinTokenId, byNodeId: nodeId, own });
  if (events.length === 0 && tables.get(nodeByNameTable, [place.name]) !== undefined) {
    return refuse(
      "nameTaken",
      `Another node is called "${place.name}". Give this one a name of its own, or start it with that node's directory.`,
    );
  }
  return ok({ events: [...events, { kind: "nodeJoined", nodeId, ...own, ...place, joinTokenId }], outcome: {} });
}

function decideReturn(tables: TableReader, row: NodeRow, introduction: NodeIntroduction): DecideResult {
  if (row.intent === nodeIntent.removed) {
    return refuse("precondition", explainRemoval(tables, row));
  }
  if (!isChanged(row, introduction)) return ok({ events: [], outcome: {} });
  const { address, ip, mac, capacityBytes } = introduction;
  return ok({ events: [{ kind: "nodeReported", nodeId: row.nodeId, address, ip, mac, capacityBytes }], outcome: {} });
}

function isChanged(row: NodeRow, introduction: NodeIntroduction): boolean {
  if (row.address !== introduction.address || row.ip !== introduction.ip || row.mac !== introduction.mac) return true;
  const difference = Math.abs(row.capacityBytes - introduction.capacityBytes);
  return difference > row.capacityBytes * capacityChangeShareMin;
}

function flawOf(introduction: NodeIntroduction): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(introduction.nodeUuid)) return "A node's identity is 32 hex digits.";
  if (!nodeNamePattern.test(introduction.name))
    return "A node's name is 1 to 63 letters, digits, dots, dashes and underscores.";
  if (!/^.+:\d{1,5}$/.test(introduction.address)) return "A node's address is host:port.";
  if (introduction.zone.length > 63 || introduction.rack.length > 63)
    return "The names of zones and racks have at most 63 characters.";
  return undefined;
}

function refuse(
  kind: "wrongCluster" | "nameTaken" | "precondition" | "invalidArgument" | "unavailable",
  message: string,
): DecideResult {
  return refused({ kind, message });
}
