import { concatBytes } from "@holdfast/base";
import { ByteWriter } from "../codec/byte-writer.ts";
import { encodeUtf8 } from "../codec/utf8.ts";
import { entryKind } from "./state.ts";

/**
 * The order in which people read names, without the host's locale data, because all masters must agree for ever:
 * folders first, letters without case and accents, runs of digits by value ("file2" before "file10"), the rest by code
 * point. Names that only differ in case or accents sort by id. Folding covers Latin, Greek and Cyrillic below U+0530,
 * where Unicode's tables are settled.
 */
export function childSortKey(child: {
  readonly kind: number;
  readonly name: string;
  readonly entryId: number;
}): Uint8Array {
  const writer = new ByteWriter(96);
  writer.byte(child.kind === entryKind.folder ? 0 : 1);
  writer.bytes(nameSortKey(child.name));
  writer.byte(0);
  writer.bigEndian(child.entryId, 8);
  return writer.take();
}

/** A name's place among others; holds no zero byte. */
export function nameSortKey(name: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const run of fold(name).match(/[0-9]+|[^0-9]+/g) ?? []) {
    const isNumber = run.charCodeAt(0) >= 0x30 && run.charCodeAt(0) <= 0x39;
    parts.push(isNumber ? numberKey(run) : encodeUtf8(run));
  }
  return concatBytes(parts);
}

/** "0", then how many digits count, then those digits: sorts where digits do, and among each other by value. */
function numberKey(run: string): Uint8Array {
  const digits = run.replace(/^0+/, "");
  return concatBytes([Uint8Array.of(0x30, Math.min(digits.length + 1, 0xff)), encodeUtf8(digits)]);
}

const foldedBelow = 0x0530;

function fold(name: string): string {
  let folded = "";
  for (const symbol of name) {
    const point = symbol.codePointAt(0) ?? 0;
    if (point < 0x80) folded += symbol.toLowerCase();
    else if (point < foldedBelow)
      folded += symbol
        .normalize("NFD")
        .replace(/[\u0300-\u036f]/g, "")
        .toLowerCase();
    else folded += symbol;
  }
  return folded;
}
