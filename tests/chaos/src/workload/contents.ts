import { createCipheriv, createHash } from "node:crypto";

/** What a file is made of; two are never equal. */
export interface Content {
  readonly bytes: Buffer;
  /** Hex. */
  readonly sha256: string;
}

/** What must be on disk for a content, told without the bytes. */
export interface ContentFacts {
  readonly sizeBytes: number;
  /** Hex, in order; empty for contents that travel inside the log. */
  readonly chunkSha256s: readonly string[];
}

/** Bytes that follow from their label alone and look like noise. */
export function makeContent(label: string, sizeBytes: number): Content {
  const key = createHash("sha256").update(label).digest();
  const bytes = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
  return { bytes, sha256: sha256Of(bytes) };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** `inlineBytesMax` of docs/http-api.md. */
const inlineBytesMax = 4096;

/** A file is cut into chunks of equal size, the last one shorter. */
export function factsOf(bytes: Buffer, chunkSizeBytes: number): ContentFacts {
  const chunkSha256s: string[] = [];
  if (bytes.length > inlineBytesMax) {
    for (let at = 0; at < bytes.length; at += chunkSizeBytes)
      chunkSha256s.push(sha256Of(bytes.subarray(at, at + chunkSizeBytes)));
  }
  return { sizeBytes: bytes.length, chunkSha256s };
}
