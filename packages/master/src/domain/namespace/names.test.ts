import { compareBytes } from "@holdfast/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, encodeUtf8, utf8Length } from "../codec/utf8.ts";
import { nameBytesMax, nameFault } from "./check-name.ts";
import { nameSortKey } from "./collation.ts";
import { keepBothName } from "./keep-both.ts";

function sorted(names: readonly string[]): readonly string[] {
  return [...names].sort((left, right) => compareBytes(nameSortKey(left), nameSortKey(right)));
}

describe("order of names", () => {
  it("counts runs of digits by value", () => {
    const order = ["file", "file1", "file2", "file10", "file10b", "file100", "filet"];
    expect(sorted(order.toReversed())).toEqual(order);
  });

  it("looks through case and accents", () => {
    expect(sorted(["Zebra", "ärger", "apfel", "Berg", "Éclair", "eis"])).toEqual([
      "apfel",
      "ärger",
      "Berg",
      "Éclair",
      "eis",
      "Zebra",
    ]);
  });

  it("treats leading zeros as nothing, but zero as less than one", () => {
    expect(nameSortKey("a007")).toEqual(nameSortKey("a7"));
    expect(sorted(["a1", "a0", "a"])).toEqual(["a", "a0", "a1"]);
  });

  it("puts a beginning before what it begins, and never writes a zero byte", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
        fc.string({ unit: fc.constantFrom("a", "é", "-", "9", " ", "."), minLength: 1 }),
        (name, rest) => {
          fc.pre(nameFault(name) === undefined && !/[0-9]$/.test(name));
          expect(nameSortKey(name).includes(0)).toBe(false);
          const key = Uint8Array.of(...nameSortKey(name), 0);
          const longer = Uint8Array.of(...nameSortKey((name + rest).normalize("NFC")), 0);
          // A combining mark may melt into the last letter; then the names have no common beginning.
          if ((name + rest).normalize("NFC").startsWith(name)) expect(compareBytes(key, longer)).toBeLessThanOrEqual(0);
        },
      ),
    );
  });

  it("survives 255 digits", () => {
    const nines = "9".repeat(255);
    expect(sorted([nines, "8", "9".repeat(200)])).toEqual(["8", "9".repeat(200), nines]);
  });
});

describe("UTF-8", () => {
  it("is that of the host", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const bytes = encodeUtf8(text);
        expect(bytes).toEqual(new TextEncoder().encode(text));
        expect(utf8Length(text)).toBe(bytes.length);
        expect(decodeUtf8(bytes)).toBe(text.toWellFormed());
      }),
    );
  });
});

describe("keep both", () => {
  it("numbers in front of the extension, of files only", () => {
    const taken = (...names: readonly string[]) => ({ isTaken: (name: string) => names.includes(name) });
    expect(keepBothName("a.txt", { isFolder: false, ...taken("a.txt") })).toBe("a (2).txt");
    expect(keepBothName("a.txt", { isFolder: false, ...taken("a.txt", "a (2).txt") })).toBe("a (3).txt");
    expect(keepBothName("v1.2", { isFolder: true, ...taken() })).toBe("v1.2 (2)");
    expect(keepBothName(".bashrc", { isFolder: false, ...taken() })).toBe(".bashrc (2)");
    expect(keepBothName("none", { isFolder: false, ...taken() })).toBe("none (2)");
  });

  it("finds a free name in few steps among a hundred thousand", () => {
    let asked = 0;
    const name = keepBothName("a.txt", {
      isFolder: false,
      isTaken: (candidate) => {
        asked += 1;
        return Number(/\((\d+)\)/.exec(candidate)?.[1]) <= 100_000;
      },
    });
    expect(name).toBe("a (100001).txt");
    expect(asked).toBeLessThan(150);
  });

  it("cuts long names at whole letters", () => {
    for (const name of ["x".repeat(255), "😀".repeat(63), `${"ä".repeat(125)}.txt`]) {
      const free = keepBothName(name, { isFolder: false, isTaken: () => false }) ?? "";
      expect(nameFault(free)).toBeUndefined();
      expect(utf8Length(free)).toBeLessThanOrEqual(nameBytesMax);
      expect(free).toMatch(/ \(2\)(\.txt)?$/);
    }
  });

  it("gives up when everything is taken", () => {
    expect(keepBothName("a", { isFolder: false, isTaken: () => true })).toBeUndefined();
  });
});
