/** An argon2id hash as people store it: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. Source: PHC string format; RFC 9106. */
export interface Argon2idHash {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** Bounds of what will be computed for a hash that came from elsewhere. */
const memoryKiBMax = 256 * 1024;
const passesMax = 16;
const parallelismMax = 16;

const pattern =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;

/** Undefined for anything that is not an argon2id hash within bounds. */
export function parseArgon2idHash(text: string): Argon2idHash | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [memoryKiB, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (passes < 1 || passes > passesMax || parallelism < 1 || parallelism > parallelismMax) return undefined;
  if (memoryKiB < 8 * parallelism || memoryKiB > memoryKiBMax) return undefined;
  const [salt, tag] = [fromBase64(match[4] ?? ""), fromBase64(match[5] ?? "")];
  return { memoryKiB, passes, parallelism, salt, tag };
}

/** The PHC string. */
export function formatArgon2idHash(hash: Argon2idHash): string {
  const parameters = `m=${hash.memoryKiB},t=${hash.passes},p=${hash.parallelism}`;
  return `$argon2id$v=19$${parameters}$${toBase64(hash.salt)}$${toBase64(hash.tag)}`;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
