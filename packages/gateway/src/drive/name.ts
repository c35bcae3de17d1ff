import { HoldfastError } from "@holdfast/base";

const nameBytesMax = 255;

/**
 * Refuses early what the masters would refuse at the end of a long upload: 1 to 255 bytes of UTF-8, without '/' and NUL,
 * not "." or "..". The masters' own rule is the one that counts. Errors: invalidArgument.
 */
export function requireName(name: string): void {
  const fault = nameFault(name);
  if (fault !== undefined)
    throw new HoldfastError("invalidArgument", `${fault} Nothing was changed. Choose another name.`);
}

function nameFault(name: string): string | undefined {
  if (name === "") return "The name is empty.";
  if (name === "." || name === "..") return "'.' and '..' cannot be names.";
  if (name.includes("/")) return "A name cannot contain '/'.";
  if (name.includes("\0")) return "A name cannot contain a NUL character.";
  if (!name.isWellFormed()) return "The name is not valid Unicode.";
  if (utf8LengthBytes(name.normalize("NFC")) > nameBytesMax)
    return `The name is longer than ${nameBytesMax} bytes of UTF-8.`;
  return undefined;
}

function utf8LengthBytes(text: string): number {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}
