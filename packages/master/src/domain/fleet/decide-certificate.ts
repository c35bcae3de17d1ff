import { ok, type Result } from "@holdfast/base";
import type { Refusal } from "../decision.ts";
import type { TableReader } from "../tables.ts";
import { admitByToken } from "./decide-admission.ts";
import type { JoinProof } from "./decide.ts";
import { refuse } from "./refusals.ts";
import { explainRemoval } from "./replacements.ts";
import { nodeByUuidTable, nodeIntent, nodeTable } from "./tables.ts";

/** Who asks for a certificate. */
export interface CertificateWish {
  /** "node" or "gateway". */
  readonly role: string;
  /** A node's uuid, a gateway's name. */
  readonly id: string;
  /** Who it is already, by the certificate that it shows; undefined when it shows none. */
  readonly caller: { readonly role: string; readonly id: string } | undefined;
}

const uuidPattern = /^[0-9a-f]{32}$/;
const gatewayNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * Whether somebody gets a certificate: whoever has one gets the next; the join secret is enough for anybody but a removed
 * node; a join token only for a node that is not in the cluster yet, so that it can't be used to pose as one that is.
 * Errors: `invalidArgument`, `denied`, `precondition` (removed).
 */
export function decideCertificate(
  tables: TableReader,
  { role, id, caller }: CertificateWish,
  { proof, atMs }: { readonly proof: JoinProof; readonly atMs: number },
): Result<undefined, Refusal> {
  const isNamed = role === "node" ? uuidPattern.test(id) : role === "gateway" && gatewayNamePattern.test(id);
  if (!isNamed)
    return refuse("invalidArgument", "A certificate is for a node by its uuid, or for a gateway by its name.");
  const known = role === "node" ? tables.get(nodeByUuidTable, [id]) : undefined;
  const row = known === undefined ? undefined : tables.get(nodeTable, [known.nodeId]);
  if (row?.intent === nodeIntent.removed) return refuse("precondition", explainRemoval(tables, row));
  if (caller?.role === role && caller.id === id) return ok(undefined);
  if (proof.isAdmitted) return ok(undefined);
  if (role === "gateway") return refuse("denied", "A gateway gets its certificate for the cluster's join secret only.");
  if (row !== undefined) {
    return refuse(
      "denied",
      `${row.name} is in the cluster and has a certificate of its own, which was not shown. ` +
        `If it was lost or has expired, replace the node: holdfast admin node replace ${row.name}`,
    );
  }
  const admission = admitByToken(tables, { clusterId: "" }, { proof, atMs });
  return admission.ok ? ok(undefined) : admission;
}
