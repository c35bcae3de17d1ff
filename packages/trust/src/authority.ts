import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { HoldfastError } from "@holdfast/base";
import { uriOfIdentity, type PeerIdentity } from "@holdfast/rpc";
import { provenKey, type CertificateRequest } from "./certificate-request.ts";
import { signCertificate } from "./certificate.ts";
import { pemBlock } from "./pem.ts";

const dayMs = 24 * 3_600_000;
/** An authority lives as long as its cluster. */
const authorityLifetimeMs = 30 * 365 * dayMs;
/** Of all other certificates; renewed when two thirds are over. */
const certificateLifetimeMs = 90 * dayMs;
/** Clocks of different machines differ. */
const clockToleranceMs = 3_600_000;
const serialNumberBytes = 16;

/** Makes the certificates of one cluster. Whoever has it is believed everywhere in the cluster: masters alone have it. */
export interface CertificateAuthority {
  /** Its own certificate, PEM: not secret. */
  readonly certificate: string;
  /** PEM, for whoever has the key of a request. Errors: invalidArgument (a key or a proof that does not fit). */
  issue(request: CertificateRequest, identity: PeerIdentity, nowMs: number): string;
}

/** A new authority as the text of its file: certificate and private key in PEM. */
export function createAuthority(clusterId: string, nowMs: number): string {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = spkiOf(keys.publicKey);
  const name = `Holdfast cluster ${clusterId}`;
  const certificate = signCertificate(
    {
      ...{ issuer: name, subject: name, uri: undefined, publicKey, issuerPublicKey: publicKey },
      ...validity(nowMs, authorityLifetimeMs),
    },
    keys.privateKey,
  );
  return certificate + String(keys.privateKey.export({ format: "pem", type: "pkcs8" }));
}

/** Reads the file of an authority. Errors: precondition (it is none). */
export function openAuthority(text: string): CertificateAuthority {
  const certificate = pemBlock(text, "CERTIFICATE");
  const keyPem = pemBlock(text, "PRIVATE KEY");
  if (certificate === undefined || keyPem === undefined) throw noAuthority();
  try {
    const key = createPrivateKey(keyPem);
    const own = new X509Certificate(certificate);
    const [, issuer] = /^CN=([^\n]+)$/.exec(own.subject) ?? [];
    if (issuer === undefined || !own.checkPrivateKey(key) || !own.ca) throw noAuthority();
    return { certificate, issue: (request, identity, nowMs) => issue({ key, issuer }, { request, identity, nowMs }) };
  } catch (cause) {
    throw noAuthority(cause);
  }
}

function issue(
  { key, issuer }: { readonly key: KeyObject; readonly issuer: string },
  wish: { readonly request: CertificateRequest; readonly identity: PeerIdentity; readonly nowMs: number },
): string {
  const { request, identity, nowMs } = wish;
  const proven = provenKey(request, identity);
  if (proven === undefined) {
    const message =
      "The request's key is not of the kind that is used here, or is not proven by its signature. Nothing was done.";
    throw new HoldfastError("invalidArgument", message);
  }
  return signCertificate(
    {
      ...{ issuer, subject: `${identity.role} ${identity.id}`, uri: uriOfIdentity(identity) },
      // As OpenSSL writes the key that it understood, not as it was sent.
      ...{ publicKey: spkiOf(proven), issuerPublicKey: spkiOf(createPublicKey(key)) },
      ...validity(nowMs, certificateLifetimeMs),
    },
    key,
  );
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }));
}

function noAuthority(cause?: unknown): HoldfastError {
  const message =
    "The file of the cluster's authority holds no certificate and key of one. Nothing was changed. Restore it.";
  return new HoldfastError("precondition", message, { cause });
}

function validity(nowMs: number, lifetimeMs: number) {
  return {
    serialNumber: randomBytes(serialNumberBytes),
    notBeforeMs: nowMs - clockToleranceMs,
    notAfterMs: nowMs + lifetimeMs,
  };
}
