/** The few kinds of ASN.1 values of which certificates are made, in DER (X.690). Only writing: what others sent is read by OpenSSL. */
export type Der = Uint8Array;

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A value of any tag, in one piece of bytes. */
export function tagged(tag: number, ...contents: readonly Uint8Array[]): Der {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

/** Values in order. */
export const sequence = (...items: readonly Der[]): Der => tagged(tags.sequence, ...items);
/** Values without order. */
export const set = (...items: readonly Der[]): Der => tagged(tags.set, ...items);
/** Bytes. */
export const octetString = (bytes: Uint8Array): Der => tagged(tags.octetString, bytes);
/** Text. */
export const utf8String = (text: string): Der => tagged(tags.utf8String, Buffer.from(text, "utf8"));
/** True; false is said by leaving it out. */
export const isTrue = (): Der => tagged(tags.boolean, Buffer.from([0xff]));

/** Whole bytes, or the first bits of the last one: `unusedBits` at its end do not count. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Der =>
  tagged(tags.bitString, Buffer.from([unusedBits]), bytes);

/** A number that is not negative, big-endian. */
export function integer(bytes: Uint8Array): Der {
  const start = bytes.findIndex((byte) => byte !== 0);
  const significant = start < 0 ? Buffer.from([0]) : bytes.subarray(start);
  // A first bit that is set would make it negative.
  const sign = (significant[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : [];
  return tagged(tags.integer, ...sign, significant);
}

/** "1.2.840.10045.4.3.2". */
export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...arcs] = dotted.split(".").map(Number);
  return tagged(tags.objectId, Buffer.from([first * 40 + second, ...arcs.flatMap(base128)]));
}

/** To the second, UTC: two digits of the year before 2050, four from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Der {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(tags.utcTime, Buffer.from(digits.slice(2), "ascii"))
    : tagged(tags.generalizedTime, Buffer.from(digits, "ascii"));
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(arc: number): readonly number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128));
  return bytes;
}
