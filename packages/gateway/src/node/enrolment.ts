import { readFile } from "node:fs/promises";
import { HoldfastError } from "@holdfast/base";
import type { TlsCredentials } from "@holdfast/rpc/node";
import { ClusterTrust, fingerprintOf, keepRenewed } from "@holdfast/trust";
import { enrollPatiently, type EnrolmentPorts } from "@holdfast/trust/node";
import type { GatewaySettings } from "../config.ts";

/** A gateway's side of the cluster's certificates. */
export interface Enrolment {
  readonly trust: ClusterTrust;
  /** Of the authority; for join tokens. */
  readonly authorityFingerprint: string;
  stop(): void;
}

/**
 * A gateway keeps nothing, so it asks for a new certificate at every start, for as long as no master answers; until then
 * its calls are `unavailable`. Undefined without an authority: then everything is in the clear. Errors: `precondition` (a
 * file that cannot be read).
 */
export async function openEnrolment(
  { authority: authorityFile, joinSecretFile, clusterId, name, masters }: GatewaySettings,
  ports: EnrolmentPorts,
): Promise<Enrolment | undefined> {
  if (authorityFile === "") return undefined;
  const authority = await readText(authorityFile);
  const credential = (await readText(joinSecretFile)).trim();
  const trust = new ClusterTrust(clusterId);
  const identity = { clusterId, role: "gateway", id: name } as const;
  const obtain = (): Promise<TlsCredentials> =>
    enrollPatiently({ identity, masterAddresses: masters, credential, credentials: { authority } }, ports);
  obtain().then(
    (credentials) => trust.use(credentials),
    (error: unknown) => ports.logger.error("gateway.refused", { reason: error instanceof Error ? error.message : "" }),
  );
  const stop = keepRenewed(trust, obtain, ports);
  return { trust, authorityFingerprint: fingerprintOf(authority), stop };
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    const message = `${file === "" ? "The file of the join secret" : file} cannot be read. Nothing was changed.`;
    throw new HoldfastError("precondition", message, { cause });
  });
}
