import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { IssueCertificateResponseSchema, JoinService } from "@holdfast/proto/master/v1/master";
import { serve, type PeerIdentity, type ServedService } from "@holdfast/rpc";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import { decideCertificate } from "../domain/fleet/decide-certificate.ts";
import { readerOf } from "../domain/tables.ts";
import type { JoinGate } from "./fleet/join-gate.ts";
import { notLeader, type Leadership } from "./fleet/leadership.ts";

/** What makes certificates. */
export interface CertificateIssuer {
  /** PEM. Errors: invalidArgument (a key or a proof that does not fit). */
  issue(
    request: { readonly publicKey: Uint8Array; readonly proof: Uint8Array },
    identity: PeerIdentity,
    nowMs: number,
  ): string;
}

/** What the service works with. */
export interface JoinServiceOptions {
  readonly clusterId: string;
  /** Undefined in a cluster on loopback. */
  readonly issuer: CertificateIssuer | undefined;
  readonly store: KeyValueStore;
  readonly leadership: Leadership;
  readonly joinGate: JoinGate;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Gives certificates to who may have one; the leader alone, because it knows which tokens are out and who was removed. */
export function createJoinService(options: JoinServiceOptions): ServedService {
  const { clusterId, issuer, store, leadership, joinGate, clock, logger } = options;
  return serve(JoinService, {
    issueCertificate: async ({ role, id, publicKey, proof, credential }, { caller }) => {
      if (issuer === undefined)
        throw new HoldfastError(
          "precondition",
          "This cluster has no certificates: it is on loopback, or a trusted network.",
        );
      if (!leadership.isReady()) throw notLeader(leadership);
      const atMs = Math.floor(clock.wallMs());
      const decided = decideCertificate(readerOf(store), { role, id, caller }, { proof: joinGate(credential), atMs });
      if (!decided.ok) {
        logger.warn("fleet.certificate_refused", { role, id, reason: decided.error.message });
        throw new HoldfastError(decided.error.kind, decided.error.message);
      }
      // The decision knows no other roles.
      const identity: PeerIdentity = { clusterId, role: role === "node" ? "node" : "gateway", id };
      const certificate = issuer.issue({ publicKey, proof }, identity, atMs);
      logger.info("fleet.certificate_issued", { role, id });
      return create(IssueCertificateResponseSchema, { certificate });
    },
  });
}
