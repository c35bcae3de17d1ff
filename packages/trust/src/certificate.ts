import { createHash, sign, type KeyObject } from "node:crypto";
import {
  bitString,
  integer,
  isTrue,
  objectId,
  octetString,
  sequence,
  set,
  tagged,
  time,
  utf8String,
  type Der,
} from "./der.ts";
import { pemOf } from "./pem.ts";

/** What an X.509 certificate of ours says (RFC 5280). */
export interface CertificateFacts {
  /** 16 random bytes. */
  readonly serialNumber: Uint8Array;
  /** Common names. */
  readonly issuer: string;
  readonly subject: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  /** Of the issuer, in the same form. */
  readonly issuerPublicKey: Uint8Array;
  /** The one name of a process; undefined = it is the authority's own certificate. */
  readonly uri: string | undefined;
}

const ecdsaWithSha256 = (): Der => sequence(objectId("1.2.840.10045.4.3.2"));

/** The certificate in PEM, signed with the issuer's key (ECDSA on P-256). */
export function signCertificate(facts: CertificateFacts, issuerKey: KeyObject): string {
  const content = sequence(
    // Version 3.
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(facts.serialNumber),
    ecdsaWithSha256(),
    commonName(facts.issuer),
    sequence(time(facts.notBeforeMs), time(facts.notAfterMs)),
    commonName(facts.subject),
    facts.publicKey,
    tagged(0xa3, sequence(...extensionsOf(facts))),
  );
  const signature = sign("sha256", content, issuerKey);
  return pemOf("CERTIFICATE", sequence(content, ecdsaWithSha256(), bitString(signature)));
}

function extensionsOf({ uri, publicKey, issuerPublicKey }: CertificateFacts): readonly Der[] {
  const own = keyIdentifier(publicKey);
  const issuers = keyIdentifier(issuerPublicKey);
  const both = [extension("2.5.29.14", octetString(own)), extension("2.5.29.35", sequence(tagged(0x80, issuers)))];
  if (uri === undefined) {
    return [
      // An authority, and none below it; it signs certificates (bit 5 of the usages).
      extension("2.5.29.19", sequence(isTrue(), integer(Buffer.from([0]))), { isCritical: true }),
      extension("2.5.29.15", bitString(Buffer.from([0b0000_0100]), 2), { isCritical: true }),
      ...both,
    ];
  }
  return [
    // No authority; it signs handshakes (bit 0), as client and as server.
    extension("2.5.29.19", sequence(), { isCritical: true }),
    extension("2.5.29.15", bitString(Buffer.from([0b1000_0000]), 7), { isCritical: true }),
    extension("2.5.29.37", sequence(objectId("1.3.6.1.5.5.7.3.1"), objectId("1.3.6.1.5.5.7.3.2"))),
    extension("2.5.29.17", sequence(tagged(0x86, Buffer.from(uri, "ascii")))),
    ...both,
  ];
}

function extension(id: string, value: Der, { isCritical = false }: { readonly isCritical?: boolean } = {}): Der {
  return sequence(objectId(id), ...(isCritical ? [isTrue()] : []), octetString(value));
}

function commonName(name: string): Der {
  return sequence(set(sequence(objectId("2.5.4.3"), utf8String(name))));
}

/** Any short hash of the key will do (RFC 7093, 2, method 4). */
function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  return createHash("sha256").update(publicKey).digest().subarray(0, 20);
}
