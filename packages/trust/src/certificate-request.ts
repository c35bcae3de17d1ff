import { createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { uriOfIdentity, type PeerIdentity } from "@holdfast/rpc";

/** What an authority needs to make somebody's certificate. */
export interface CertificateRequest {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  /** Signature over the name and the key (`IssueCertificateRequest.proof`). */
  readonly proof: Uint8Array;
}

/** A new key, and the request for its certificate. The key (PEM, PKCS #8) never leaves this process but into its own file. */
export function createCertificateRequest(identity: PeerIdentity): CertificateRequest & { readonly privateKey: string } {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = new Uint8Array(keys.publicKey.export({ format: "der", type: "spki" }));
  const proof = new Uint8Array(sign("sha256", statement(identity, publicKey), keys.privateKey));
  return { publicKey, proof, privateKey: String(keys.privateKey.export({ format: "pem", type: "pkcs8" })) };
}

/** The key of a request that was signed with it, for this identity; undefined when anything is wrong with it. */
export function provenKey({ publicKey, proof }: CertificateRequest, identity: PeerIdentity): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    const isOurKind = key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
    return isOurKind && verify("sha256", statement(identity, publicKey), key, proof) ? key : undefined;
  } catch {
    // Bytes that are no key: OpenSSL's reasons help nobody.
    return undefined;
  }
}

function statement(identity: PeerIdentity, publicKey: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${uriOfIdentity(identity)}\0`, "ascii"), publicKey]);
}
