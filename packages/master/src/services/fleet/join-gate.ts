import { createHash, timingSafeEqual } from "node:crypto";
import type { JoinProof } from "../../domain/fleet/decide.ts";

/** Turns what a node shows into a proof for the decision. Only hashes are compared, in constant time. */
export type JoinGate = (credential: string) => JoinProof;

/** See `MasterConfig.joinSecret`: undefined lets everybody in, empty only those with a join token. */
export function createJoinGate(joinSecret: string | undefined): JoinGate {
  const secretSha256 = joinSecret === undefined || joinSecret === "" ? undefined : sha256(joinSecret);
  return (credential) => {
    const credentialSha256 = credential === "" ? undefined : sha256(credential);
    const isSecret =
      secretSha256 !== undefined && credentialSha256 !== undefined && timingSafeEqual(secretSha256, credentialSha256);
    return { isAdmitted: joinSecret === undefined || isSecret, credentialSha256 };
  };
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}
