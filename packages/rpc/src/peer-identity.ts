/** What a process of the cluster is. */
export type PeerRole = "master" | "node" | "gateway";

/** Who a process of a cluster is, as its certificate says. */
export interface PeerIdentity {
  /** 32 hex digits. */
  readonly clusterId: string;
  readonly role: PeerRole;
  /** A master's number, a node's uuid, a gateway's name. */
  readonly id: string;
}

const pattern = /^holdfast:\/\/([0-9a-f]{32})\/(master|node|gateway)\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})$/;

/** The one name in a certificate: "holdfast://<cluster id>/<role>/<id>". */
export function uriOfIdentity({ clusterId, role, id }: PeerIdentity): string {
  return `holdfast://${clusterId}/${role}/${id}`;
}

/** The identity of such a name, which nobody vouches for yet; undefined when it is none. */
export function identityOfUri(uri: string): PeerIdentity | undefined {
  const [, clusterId, role, id] = pattern.exec(uri) ?? [];
  if (clusterId === undefined || role === undefined || id === undefined) return undefined;
  // The pattern knows no other roles.
  return { clusterId, role: role as PeerRole, id };
}

/** For people: "master 2", "node 0123...", "gateway gateway-1". */
export function describeIdentity({ role, id }: PeerIdentity): string {
  return `${role} ${id}`;
}
