import { utf8Length } from "../codec/utf8.ts";
import { nameBytesMax } from "./check-name.ts";

const triedOneByOne = 64;
const numberMax = 2 ** 40;

/**
 * A free name near the wanted one: "name (2).ext", "name (3).ext" and so on. The first 64 are tried in order; behind
 * them a free one is found by doubling and halving, so that a folder full of copies costs few look-ups (the number is
 * then free, though not surely the smallest). Folders keep their dots: "v1.2" becomes "v1.2 (2)".
 */
export function keepBothName(
  name: string,
  options: { readonly isFolder: boolean; readonly isTaken: (name: string) => boolean },
): string | undefined {
  const { stem, extension } = split(name, options.isFolder);
  const isTaken = (number: number): boolean => options.isTaken(numbered(stem, extension, number));
  for (let number = 2; number < 2 + triedOneByOne; number++) {
    if (!isTaken(number)) return numbered(stem, extension, number);
  }
  let taken = 1 + triedOneByOne;
  let free = taken * 2;
  while (isTaken(free)) {
    if (free > numberMax) return undefined;
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (isTaken(middle)) taken = middle;
    else free = middle;
  }
  return numbered(stem, extension, free);
}

function split(name: string, isFolder: boolean): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot);
  if (isFolder || dot <= 0 || utf8Length(extension) > 32) return { stem: name, extension: "" };
  return { stem: name.slice(0, dot), extension };
}

function numbered(stem: string, extension: string, number: number): string {
  const end = ` (${number})${extension}`;
  const symbols = Array.from(stem);
  while (utf8Length(symbols.join("")) + utf8Length(end) > nameBytesMax) symbols.pop();
  return (symbols.join("") + end).normalize("NFC");
}
