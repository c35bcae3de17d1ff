import type { PeerIdentity, PeerRole } from "./peer-identity.ts";

/** Which roles may call a service; a service that is not here may be called by nobody. */
const callersOf: Readonly<Record<string, readonly PeerRole[] | "anybody">> = {
  "holdfast.raft.v1.RaftService": ["master"],
  "holdfast.master.v1.CommandService": ["gateway", "node"],
  "holdfast.master.v1.QueryService": ["gateway", "master"],
  "holdfast.master.v1.WatchService": ["gateway"],
  "holdfast.master.v1.FleetService": ["node"],
  "holdfast.fleet.v1.FleetQueryService": ["gateway", "master"],
  "holdfast.chunk.v1.ChunkDataService": ["gateway", "node"],
  "holdfast.chunk.v1.ChunkControlService": ["gateway", "master", "node"],
  // Whoever has no certificate yet comes here for one; the service looks at what it shows.
  "holdfast.master.v1.JoinService": "anybody",
};

/** Roles by the service that they offer: whom a caller may believe that it reached. */
const serverOf: Readonly<Record<string, PeerRole>> = {
  "holdfast.chunk.v1.ChunkDataService": "node",
  "holdfast.chunk.v1.ChunkControlService": "node",
};

/** Who serves a service inside a cluster. */
export function roleServing(serviceName: string): PeerRole {
  return serverOf[serviceName] ?? "master";
}

/** Whether a call needs no certificate at all. */
export function isOpenToAnybody(path: string): boolean {
  return callersOf[serviceOf(path)] === "anybody";
}

/** Whether a call is answered even to a peer that is refused everything else: its handler says why, in its own words. */
export function explainsRefusals(path: string): boolean {
  return serviceOf(path) === "holdfast.master.v1.FleetService";
}

/** Why this peer may not make this call ("/package.Service/Method"), in words; undefined = it may. */
export function refusalOfCall(path: string, peer: PeerIdentity): string | undefined {
  const roles = callersOf[serviceOf(path)] ?? [];
  if (roles === "anybody" || roles.includes(peer.role)) return undefined;
  const who = roles.length === 0 ? "nobody" : roles.map((role) => `a ${role}`).join(" or ");
  return `A ${peer.role} may not call ${path.slice(1)}; only ${who} may. Nothing was done.`;
}

function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}
