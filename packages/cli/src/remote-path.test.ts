import { describe, expect, it } from "vitest";
import { parseDurationMs, parseWords } from "./arguments.ts";
import { formatDuration, formatTable } from "./output.ts";
import { joinPath, remotePath, splitPath } from "./remote-path.ts";

describe("remote paths", () => {
  it("are absolute, without dots, in NFC, without a trailing slash", () => {
    expect(remotePath("/")).toBe("/");
    expect(remotePath("//a//b/")).toBe("/a/b");
    expect(remotePath("/U\u0308ber")).toBe("/\u00dcber");
    for (const bad of ["", "a/b", "/a/../b", "/./a"]) expect(() => remotePath(bad)).toThrow("remote path");
  });
  it("split and join", () => {
    for (const path of ["/a", "/a/b", "/a b/ü.txt"]) {
      const { folder, name } = splitPath(path);
      expect(joinPath(folder, name)).toBe(path);
    }
  });
});

describe("words of a command", () => {
  it("refuses what is unknown, missing or too much", () => {
    const rules = { long: { type: "boolean", short: "l" } } as const;
    const count = { min: 1, max: 1, usage: "ls PATH" };
    expect(parseWords(["-l", "/a"], rules, count).flag("long")).toBe(true);
    for (const words of [[], ["/a", "/b"], ["--colour", "/a"]])
      expect(() => parseWords(words, rules, count)).toThrow("usage: holdfast ls PATH");
  });
  it("reads durations", () => {
    expect(["60s", "5m", "250ms", "2", "1.5h"].map(parseDurationMs)).toEqual([60_000, 300_000, 250, 2_000, 5_400_000]);
    expect(() => parseDurationMs("soon")).toThrow("not a duration");
  });
});

describe("what people read", () => {
  it("sizes, times and tables", () => {
    expect([0, 42, 3_723].map(formatDuration)).toEqual(["0:00", "0:42", "1:02:03"]);
    expect(
      formatTable(
        ["N", "WHO"],
        [
          [5, "a"],
          [12, "bc"],
        ],
      ),
    ).toBe(" N  WHO\n 5  a\n12  bc");
  });
});
