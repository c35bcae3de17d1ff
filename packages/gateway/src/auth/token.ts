import { createHash } from "node:crypto";
import type { Random } from "@holdfast/runtime";

const tokenBytes = 32;
const base64UrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** 256 unpredictable bits as 43 characters that need no escaping in a cookie, header or link. */
export function newToken(random: Random): string {
  const bytes = random.bytes(tokenBytes);
  let text = "";
  let held = 0;
  let heldBits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    heldBits += 8;
    while (heldBits >= 6) {
      heldBits -= 6;
      text += base64UrlDigits.charAt((held >> heldBits) & 63);
    }
  }
  return heldBits === 0 ? text : text + base64UrlDigits.charAt((held << (6 - heldBits)) & 63);
}

/** Whether a text can be a token at all; anything else is refused without asking the masters. */
export function isTokenShaped(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** The only form in which a token is stored or sent to the masters. */
export function tokenSha256(token: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(token).digest());
}
