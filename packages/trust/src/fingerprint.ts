import { createHash } from "node:crypto";
import { derOf } from "./pem.ts";

/** SHA-256 of an authority's certificate, 64 hex digits: what a join token says of it. */
export function fingerprintOf(authorityPem: string): string {
  return createHash("sha256").update(derOf(authorityPem)).digest("hex");
}
