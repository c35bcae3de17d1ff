import { create } from "@bufbuild/protobuf";
import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import { IssueCertificateRequestSchema, JoinService } from "@holdfast/proto/master/v1/master";
import { createLeaderCaller, type PeerIdentity } from "@holdfast/rpc";
import { createGrpcNetwork, type TlsCredentials } from "@holdfast/rpc/node";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { ClusterTrust } from "../cluster-trust.ts";
import { createCertificateRequest } from "../certificate-request.ts";

/** Who wants a certificate, and why it should get one. */
export interface EnrolmentWish {
  readonly identity: PeerIdentity;
  readonly masterAddresses: readonly string[];
  /** The authority's certificate, and this process's own if it has one that is still good. */
  readonly credentials: TlsCredentials;
  /** Of a join token, or the join secret; empty when the own certificate is reason enough. */
  readonly credential: string;
}

/** What enrolling works with. */
export interface EnrolmentPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const pauseMs = 1_000;

/** Gets a certificate for a new key from the leading master. Errors: those of `JoinService.IssueCertificate`, `unavailable`. */
export async function enroll(
  wish: EnrolmentWish,
  ports: EnrolmentPorts,
): Promise<TlsCredentials & { readonly own: NonNullable<TlsCredentials["own"]> }> {
  const { identity, masterAddresses, credentials, credential } = wish;
  const network = createGrpcNetwork({ ...ports, security: new ClusterTrust(identity.clusterId, credentials) });
  try {
    const caller = createLeaderCaller({ ...ports, network, addresses: masterAddresses });
    const { privateKey, publicKey, proof } = createCertificateRequest(identity);
    const { role, id } = identity;
    const question = create(IssueCertificateRequestSchema, { role, id, publicKey, proof, credential });
    const { certificate } = await caller.call(JoinService, (client, options) =>
      client.issueCertificate(question, options),
    );
    return { authority: credentials.authority, own: { certificate, privateKey } };
  } finally {
    await network.close();
  }
}

/** The same, again while no master answers. Errors: those that asking again would not change. */
export async function enrollPatiently(wish: EnrolmentWish, ports: EnrolmentPorts): ReturnType<typeof enroll> {
  for (;;) {
    try {
      return await enroll(wish, ports);
    } catch (error) {
      if (!isHoldfastError(error, "unavailable", "notLeader", "tooBusy", "deadline")) throw error;
      ports.logger.info("trust.waiting_for_masters", { reason: error instanceof HoldfastError ? error.message : "" });
    }
    await ports.timers.sleep(pauseMs);
  }
}
