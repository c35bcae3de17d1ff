import { utf8Length } from "../codec/utf8.ts";

/** Bytes of UTF-8 that a name may have; what file systems take. */
export const nameBytesMax = 255;

/**
 * What is wrong with a name for a file or folder, in words for its user; undefined when nothing is. Names are NFC, so
 * that what looks the same is the same; 1 to 255 bytes of UTF-8; without "/", NUL and other control characters; not
 * "." or "..".
 */
export function nameFault(name: string): string | undefined {
  if (name.length === 0) return "a name can't be empty";
  if (!name.isWellFormed()) return "a name must be valid Unicode (it holds half of a surrogate pair)";
  if (utf8Length(name) > nameBytesMax) return `a name can have at most ${nameBytesMax} bytes of UTF-8`;
  if (name === "." || name === "..") return `"${name}" can't be a name`;
  if (name.includes("/")) return 'a name can\'t hold "/"';
  if (hasControl(name)) return "a name can't hold control characters";
  if (name.normalize("NFC") !== name) return "a name must be in Unicode form NFC";
  return undefined;
}

function hasControl(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const unit = name.charCodeAt(index);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f) || unit === 0x2028 || unit === 0x2029) return true;
  }
  return false;
}
