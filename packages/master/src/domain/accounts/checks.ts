import { utf8Length } from "../codec/utf8.ts";

/** An e-mail address as it is stored: without blanks around it, lower case. */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** What is wrong with a normalised e-mail address, in words; undefined when nothing is. */
export function emailFault(email: string): string | undefined {
  if (!email.isWellFormed()) return "the e-mail address is not valid Unicode";
  if (utf8Length(email) > 254) return "the e-mail address is longer than 254 bytes";
  // Exactly one "@" with something on both sides; the rest is for the mail server to judge.
  return /^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(email) ? undefined : "the e-mail address is not one";
}

/** What is wrong with a password hash; the hash itself is never told. */
export function passwordHashFault(hash: string): string | undefined {
  if (hash.length > 512) return "the password hash is longer than 512 characters";
  return /^\$[a-z0-9-]+\$[\x21-\x7e]+$/.test(hash) ? undefined : "the password hash is not a PHC string";
}

/** What is wrong with a telephone number and the channels over which one-time codes go. */
export function contactFault(phone: string, channels: readonly string[]): string | undefined {
  if (phone !== "" && !/^\+[1-9][0-9]{4,14}$/.test(phone)) return "the telephone number is not in the form +123456789";
  for (const channel of channels) {
    if (channel !== "email" && channel !== "sms") return 'a channel is "email" or "sms"';
  }
  if (new Set(channels).size !== channels.length) return "a channel is named twice";
  return undefined;
}

/** What is wrong with the hash of a token. */
export function tokenFault(tokenSha256: Uint8Array): string | undefined {
  return tokenSha256.length === 32 ? undefined : "the SHA-256 of a token has 32 bytes";
}

/** The longest beginning of a text that has at most so many bytes of UTF-8, without control characters. */
export function cutText(text: string, bytesMax: number): string {
  let cut = "";
  let bytes = 0;
  for (const symbol of text.toWellFormed().replace(/\p{Cc}/gu, " ")) {
    bytes += utf8Length(symbol);
    if (bytes > bytesMax) break;
    cut += symbol;
  }
  return cut;
}
