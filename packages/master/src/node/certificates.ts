import { readFile } from "node:fs/promises";
import { HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { TlsCredentials } from "@holdfast/rpc/node";
import type { Clock, Timers } from "@holdfast/runtime";
import {
  ClusterTrust,
  createCertificateRequest,
  keepRenewed,
  openAuthority,
  type CertificateAuthority,
} from "@holdfast/trust";
import type { MasterConfig } from "../config.ts";

/** A master's side of the cluster's certificates: its own, and those that it makes for others. */
export interface Certificates {
  readonly trust: ClusterTrust;
  readonly issuer: CertificateAuthority;
  readonly refuseNodes: (reasons: ReadonlyMap<string, string>) => void;
  readonly stop: () => void;
}

/**
 * A master that has the authority's key makes its own certificate at every start. Undefined without a file: then everything
 * is in the clear. Errors: precondition (the file cannot be read, or is none).
 */
export async function openCertificates(
  { clusterId, id }: Pick<MasterConfig, "clusterId" | "id">,
  authorityFile: string,
  ports: { readonly clock: Clock; readonly timers: Timers; readonly logger: Logger },
): Promise<Certificates | undefined> {
  if (authorityFile === "") return undefined;
  const text = await readFile(authorityFile, "utf8").catch((cause: unknown) => {
    const message = `The authority's file ${authorityFile} can't be read. Nothing was changed.`;
    throw new HoldfastError("precondition", message, { cause });
  });
  const issuer = openAuthority(text);
  const issueOwn = (): TlsCredentials => {
    const identity = { clusterId, role: "master", id: String(id) } as const;
    const { privateKey, ...request } = createCertificateRequest(identity);
    const certificate = issuer.issue(request, identity, ports.clock.wallMs());
    // With its maker's, so that a newcomer who knows the fingerprint can see that.
    return { authority: issuer.certificate, own: { certificate: certificate + issuer.certificate, privateKey } };
  };
  const trust = new ClusterTrust(clusterId, issueOwn());
  const stop = keepRenewed(trust, async () => issueOwn(), ports);
  return { trust, issuer, refuseNodes: (reasons) => trust.refuse(reasons), stop };
}
