import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { HoldfastError, type JoinToken } from "@holdfast/base";
import { identityOfUri, type PeerIdentity } from "@holdfast/rpc";
import { isLoopback, type TlsCredentials } from "@holdfast/rpc/node";
import { ClusterTrust, keepRenewed } from "@holdfast/trust";
import {
  enroll,
  enrollPatiently,
  fetchAuthority,
  readCertificateFiles,
  writeCertificateFiles,
  type EnrolmentPorts,
} from "@holdfast/trust/node";
import type { ChunkserverPorts } from "../ports.ts";

/** How a node may come to a certificate. */
export interface EnrolmentSources {
  readonly directories: readonly string[];
  /** Given at this start, if one was. */
  readonly token: JoinToken | undefined;
  /** File with the authority's certificate, for nodes beside their masters; empty = none. */
  readonly authorityFile: string;
  /** As told at this start; empty = as remembered. */
  readonly masterAddresses: readonly string[];
  /** With that file: the cluster's id. */
  readonly clusterId: string;
  /** A join token's secret, or the join secret. */
  readonly credential: string;
}

/** A node's side of the cluster's certificates. */
export interface Enrolment {
  readonly trust: ClusterTrust;
  readonly enrol: NonNullable<ChunkserverPorts["enrol"]>;
  readonly onNodesRefused: NonNullable<ChunkserverPorts["onNodesRefused"]>;
  stop(): void;
}

/**
 * Whom this node believes: whoever its kept certificate says, else the authority that the join token or a file names.
 * Undefined when there is none of these: then everything is in the clear. Errors: `denied` (the masters are not those of
 * the token), `unavailable`, `precondition` (a file that cannot be read).
 */
export async function openEnrolment(sources: EnrolmentSources, ports: EnrolmentPorts): Promise<Enrolment | undefined> {
  const { masterAddresses, authorityFile } = sources;
  // The cluster came back to loopback: a certificate from before is kept, and not used.
  if (authorityFile === "" && masterAddresses.length > 0 && masterAddresses.every(isLoopback)) return undefined;
  const kept = await readCertificateFiles(sources.directories);
  const clusterId = kept === undefined ? (sources.token?.clusterId ?? sources.clusterId) : clusterOf(kept);
  const credentials = kept ?? (await authorityOf(sources));
  if (credentials === undefined) return undefined;
  const trust = new ClusterTrust(clusterId, credentials);
  let stopRenewal = (): void => undefined;
  return {
    trust,
    enrol: async ({ nodeUuid, masterAddresses }) => {
      const identity: PeerIdentity = { clusterId, role: "node", id: nodeUuid };
      const wish = { identity, masterAddresses, credential: sources.credential };
      const obtain = async (patiently: boolean): Promise<TlsCredentials> => {
        const current = trust.current() ?? credentials;
        const isGood = current.own !== undefined && !isOver(current.own.certificate, ports.clock.wallMs());
        const shown = isGood ? current : { authority: current.authority };
        const made = await (patiently ? enrollPatiently : enroll)({ ...wish, credentials: shown }, ports);
        await writeCertificateFiles(sources.directories, made);
        return made;
      };
      const known = trust.current() ?? credentials;
      const nowMs = ports.clock.wallMs();
      if (known.own === undefined || !isOf(known.own.certificate, identity) || isOver(known.own.certificate, nowMs))
        trust.use(await obtain(true));
      // A disk that was replaced by an empty one has it again, too.
      else await writeCertificateFiles(sources.directories, { ...known, own: known.own });
      stopRenewal = keepRenewed(trust, () => obtain(false), ports);
    },
    onNodesRefused: (nodeUuids) => {
      const reason = "This node was removed from the cluster; its certificate counts no longer.";
      trust.refuse(new Map(nodeUuids.map((uuid) => [uuid, reason])));
    },
    stop: () => stopRenewal(),
  };
}

async function authorityOf({ token, authorityFile }: EnrolmentSources): Promise<TlsCredentials | undefined> {
  if (token?.authorityFingerprint !== undefined)
    return { authority: await fetchAuthority(token.masterAddresses, token.authorityFingerprint) };
  if (authorityFile === "") return undefined;
  const authority = await readFile(authorityFile, "utf8").catch((cause: unknown) => {
    const message = `The authority's certificate ${authorityFile} cannot be read. Nothing was changed.`;
    throw new HoldfastError("precondition", message, { cause });
  });
  return { authority };
}

function clusterOf({ own }: TlsCredentials): string {
  return own === undefined ? "" : (identityIn(own.certificate)?.clusterId ?? "");
}

function isOf(certificate: string, identity: PeerIdentity): boolean {
  return identityIn(certificate)?.id === identity.id;
}

function identityIn(certificate: string): PeerIdentity | undefined {
  return identityOfUri((new X509Certificate(certificate).subjectAltName ?? "").replace(/^URI:/, ""));
}

function isOver(certificate: string, nowMs: number): boolean {
  return new X509Certificate(certificate).validToDate.getTime() <= nowMs;
}
