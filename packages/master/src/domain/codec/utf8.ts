/**
 * UTF-8 without a host API, because the domain has none. Unpaired surrogates become U+FFFD when written; names are
 * checked for them before (`checkName`).
 */
export function utf8Length(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (isPair(text, index)) {
      length += 4;
      index += 1;
    } else length += 3;
  }
  return length;
}

/** Writes at `offset`, which must have room for `utf8Length(text)` bytes; returns the offset behind it. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  for (let index = 0; index < text.length; index++) {
    let point = text.charCodeAt(index);
    if (point < 0x80) {
      target[at++] = point;
      continue;
    }
    if (point < 0x800) {
      target[at++] = 0xc0 | (point >> 6);
      target[at++] = 0x80 | (point & 0x3f);
      continue;
    }
    if (isPair(text, index)) {
      point = 0x10000 + ((point - 0xd800) << 10) + (text.charCodeAt(index + 1) - 0xdc00);
      index += 1;
      target[at++] = 0xf0 | (point >> 18);
      target[at++] = 0x80 | ((point >> 12) & 0x3f);
    } else {
      if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
      target[at++] = 0xe0 | (point >> 12);
    }
    target[at++] = 0x80 | ((point >> 6) & 0x3f);
    target[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}

/** The text's bytes. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(text, bytes, 0);
  return bytes;
}

/** Text of bytes that `writeUtf8` wrote. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  let at = start;
  while (at < end) {
    const lead = bytes[at++] ?? 0;
    if (lead < 0x80) text += String.fromCharCode(lead);
    else if (lead < 0xe0) text += String.fromCharCode(((lead & 0x1f) << 6) | tail(bytes, at++));
    else if (lead < 0xf0) {
      text += String.fromCharCode(((lead & 0x0f) << 12) | (tail(bytes, at) << 6) | tail(bytes, at + 1));
      at += 2;
    } else {
      const point = ((lead & 0x07) << 18) | (tail(bytes, at) << 12) | (tail(bytes, at + 1) << 6) | tail(bytes, at + 2);
      text += String.fromCodePoint(point);
      at += 3;
    }
  }
  return text;
}

function tail(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) & 0x3f;
}

function isPair(text: string, index: number): boolean {
  const high = text.charCodeAt(index);
  if (high < 0xd800 || high > 0xdbff) return false;
  const low = text.charCodeAt(index + 1);
  return low >= 0xdc00 && low <= 0xdfff;
}
