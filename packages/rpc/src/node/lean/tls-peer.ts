import type { ServerHttp2Session } from "node:http2";
import { TLSSocket, type PeerCertificate } from "node:tls";
import { HoldfastError } from "@holdfast/base";
import { describeIdentity, identityOfUri, type PeerIdentity, type PeerRole } from "../../peer-identity.ts";
import { explainsRefusals, isOpenToAnybody, refusalOfCall } from "../../permissions.ts";
import type { NetworkSecurity } from "../network-security.ts";

/** Whom a connection comes from: proven, or why it is not. */
export type TlsPeer = { readonly identity: PeerIdentity } | { readonly flaw: string };

/** Reads once, when a connection stands, what its certificate proves. */
export function readPeer(session: ServerHttp2Session, { clusterId }: NetworkSecurity): TlsPeer {
  const socket = session.socket;
  if (!(socket instanceof TLSSocket)) return { flaw: "This connection is not encrypted." };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { flaw: "No certificate of this cluster was shown." };
  if (!socket.authorized) return { flaw: flawOfChain(String(socket.authorizationError)) };
  const identity = identityIn(certificate.subjectAltName);
  if (identity === undefined) return { flaw: "The certificate names no process of a Holdfast cluster." };
  if (identity.clusterId !== clusterId) return { flaw: `The certificate is for cluster ${identity.clusterId}.` };
  return { identity };
}

/** Why a call is refused, or undefined. Errors are values: `unauthenticated` (who is it?), `denied` (it may not). */
export function refusalFor(path: string, peer: TlsPeer, security: NetworkSecurity): HoldfastError | undefined {
  if (isOpenToAnybody(path)) return undefined;
  if ("flaw" in peer)
    return new HoldfastError("unauthenticated", `${peer.flaw} Nothing was done. Join the cluster with a join token.`);
  const refused = explainsRefusals(path) ? undefined : security.refusalOf(peer.identity);
  const refusal = refusalOfCall(path, peer.identity) ?? refused;
  return refusal === undefined ? undefined : new HoldfastError("denied", refusal);
}

/** For `checkServerIdentity`, which is asked when the chain is good: what is wrong with who was reached. */
export function flawOfServer(
  { subjectaltname }: PeerCertificate,
  { clusterId, role }: { readonly clusterId: string; readonly role: PeerRole },
): HoldfastError | undefined {
  const identity = identityIn(subjectaltname);
  const disbelieved = (why: string): HoldfastError =>
    new HoldfastError("unavailable", `The other side is not believed: ${why}.`);
  if (identity === undefined) return disbelieved("its certificate names no process of a Holdfast cluster");
  if (identity.clusterId !== clusterId) return disbelieved(`its certificate is for cluster ${identity.clusterId}`);
  if (identity.role === role) return undefined;
  return disbelieved(`a ${role} was expected there, and it is ${describeIdentity(identity)}`);
}

/** What OpenSSL says of a chain of certificates, for people. */
export function flawOfChain(code: string): string {
  if (code === "CERT_HAS_EXPIRED") return "The certificate shown has expired.";
  if (code === "CERT_NOT_YET_VALID") return "The certificate shown is not valid yet; compare the clocks.";
  return `The certificate shown was not made by this cluster's authority (${code}).`;
}

/** A certificate of ours has exactly one name. */
function identityIn(subjectAltName: string | undefined): PeerIdentity | undefined {
  return subjectAltName?.startsWith("URI:") === true ? identityOfUri(subjectAltName.slice("URI:".length)) : undefined;
}
