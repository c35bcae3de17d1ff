import { ok, refused } from "./result.ts";
import type { Result } from "./result.ts";

/** What a join token says: enough for a new machine to find the cluster and be let in. */
export interface JoinToken {
  /** The cluster to join, 32 hex digits; a welcome from any other is refused. */
  readonly clusterId: string;
  /** host:port of every master, 1 to 9. */
  readonly masterAddresses: readonly string[];
  /**
   * 64 hex digits, the only secret part. A node sends it as its `join_credential`; masters keep only the SHA-256 of the
   * UTF-8 bytes of these 64 characters (`IssueJoinToken.token_sha256`).
   */
  readonly secret: string;
  /** SHA-256 of the certificate of the cluster's authority, 64 hex digits; absent where the cluster speaks in the clear. */
  readonly authorityFingerprint?: string | undefined;
}

/** How every join token begins, so that people and secret scanners know one. */
export const joinTokenPrefix = "hfj_";

const formatVersion = 1;
const mastersMax = 9;
const checksumLength = 7;
const textLengthMax = 4096;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const addressPattern = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})$/;

/**
 * One line of text without spaces (docs/formats/join-token.md): the prefix, seven characters of checksum against mistyping,
 * and the fields as base64url. Throws RangeError for fields that `decodeJoinToken` would refuse.
 */
export function encodeJoinToken(token: JoinToken): string {
  const fault = faultOf(token);
  if (fault !== undefined) throw new RangeError(fault);
  const { clusterId, masterAddresses, secret, authorityFingerprint } = token;
  const fields = { v: formatVersion, c: clusterId, m: masterAddresses, s: secret, f: authorityFingerprint };
  const body = toBase64Url(JSON.stringify(fields));
  return `${joinTokenPrefix}${checksumOf(body)}${body}`;
}

/** Reads a token; a refusal says in words what is wrong with the text and never repeats it. */
export function decodeJoinToken(text: string): Result<JoinToken, string> {
  const trimmed = text.trim();
  if (!trimmed.startsWith(joinTokenPrefix)) return refused(`A join token begins with ${joinTokenPrefix}.`);
  const body = trimmed.slice(joinTokenPrefix.length + checksumLength);
  const checksum = trimmed.slice(joinTokenPrefix.length, joinTokenPrefix.length + checksumLength);
  if (trimmed.length > textLengthMax || checksumOf(body) !== checksum)
    return refused("The join token was not copied as a whole, or a character of it is wrong. Copy it again.");
  const fields = parse(fromBase64Url(body) ?? "");
  if (fields === undefined) return refused("The join token cannot be read. Make a new one.");
  if (fields["v"] !== formatVersion)
    return refused("The join token was made by another version of Holdfast. Use the same version on this machine.");
  const needed = { clusterId: fields["c"], masterAddresses: fields["m"], secret: fields["s"] };
  const token = fields["f"] === undefined ? needed : { ...needed, authorityFingerprint: fields["f"] };
  const fault = faultOf(token);
  return fault === undefined ? ok(token as JoinToken) : refused(`The join token cannot be used: ${fault}`);
}

/** Whether the masters can only be reached from their own machine, so that the token is of use there alone. */
export function isOnLoopback({ masterAddresses }: Pick<JoinToken, "masterAddresses">): boolean {
  return masterAddresses.every((address) => /^(127(\.\d{1,3}){3}|localhost|\[::1\]):/.test(address));
}

/** What is wrong with the fields, or undefined. */
function faultOf(token: { readonly [K in keyof JoinToken]: unknown }): string | undefined {
  const { clusterId, masterAddresses, secret, authorityFingerprint } = token;
  if (typeof clusterId !== "string" || !/^[0-9a-f]{32}$/.test(clusterId)) return "its cluster id is not 32 hex digits.";
  if (typeof secret !== "string" || !/^[0-9a-f]{64}$/.test(secret)) return "its secret is not 64 hex digits.";
  const isFingerprint = typeof authorityFingerprint === "string" && /^[0-9a-f]{64}$/.test(authorityFingerprint);
  if (authorityFingerprint !== undefined && !isFingerprint)
    return "the fingerprint of its authority is not 64 hex digits.";
  if (!Array.isArray(masterAddresses) || masterAddresses.length === 0 || masterAddresses.length > mastersMax)
    return `it names no masters, or more than ${mastersMax}.`;
  const isAddress = (address: unknown): boolean => {
    const port = typeof address === "string" ? Number(addressPattern.exec(address)?.[1] ?? 0) : 0;
    return port > 0 && port < 65_536;
  };
  return masterAddresses.every(isAddress) ? undefined : "an address of a master in it is not host:port.";
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** FNV-1a over the characters, 32 bits in base 36: finds every single wrong character and most other slips. */
function checksumOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(36).padStart(checksumLength, "0");
}

/** Of ASCII text. */
function toBase64Url(text: string): string {
  let encoded = "";
  let bits = 0;
  let bitCount = 0;
  for (let index = 0; index < text.length; index++) {
    bits = ((bits << 8) | text.charCodeAt(index)) & 0xffff;
    bitCount += 8;
    for (; bitCount >= 6; bitCount -= 6) encoded += alphabet[(bits >> (bitCount - 6)) & 63] ?? "";
  }
  return bitCount === 0 ? encoded : encoded + (alphabet[(bits << (6 - bitCount)) & 63] ?? "");
}

/** Undefined when a character does not belong. */
function fromBase64Url(encoded: string): string | undefined {
  let text = "";
  let bits = 0;
  let bitCount = 0;
  for (const character of encoded) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    text += String.fromCharCode((bits >> bitCount) & 255);
  }
  return text;
}
