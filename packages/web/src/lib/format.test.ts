import { describe, expect, test } from "vitest";
import { extensionOf, formatCount, formatDuration, formatItems, formatWhen, stemLength } from "./format.ts";

describe("format", () => {
  test.each([
    [200, "1 s"],
    [59_000, "59 s"],
    [61_000, "1 min"],
    [3_600_000, "1 h"],
    [5_400_000, "1 h 30 min"],
    [260_000_000, "3 days"],
  ])("%d ms are %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  test("counts have thin groups and nouns their number", () => {
    expect(formatCount(12_480)).toBe("12\u202f480");
    expect(formatItems(1, "file")).toBe("1 file");
    expect(formatItems(0, "file")).toBe("0 files");
    expect(formatItems(2, "entry", "entries")).toBe("2 entries");
  });

  test("moments are told as people tell them", () => {
    const now = new Date(2026, 10, 22, 18, 0).getTime();
    expect(formatWhen(now - 5_000, now)).toBe("just now");
    expect(formatWhen(now - 240_000, now)).toBe("4 min ago");
    expect(formatWhen(new Date(2026, 10, 22, 9, 12).getTime(), now)).toBe("09:12");
    expect(formatWhen(new Date(2026, 10, 21, 23, 59).getTime(), now)).toBe("yesterday");
    expect(formatWhen(new Date(2026, 2, 12).getTime(), now)).toBe("12 Mar");
    expect(formatWhen(new Date(2024, 2, 12).getTime(), now)).toBe("12 Mar 2024");
    expect(formatWhen(0, now)).toBe("–");
  });

  test("the stem ends before the last extension; dot files have none", () => {
    expect(stemLength("report.final.pdf")).toBe(12);
    expect(stemLength(".editorconfig")).toBe(13);
    expect(stemLength("README")).toBe(6);
    expect(extensionOf("a.TAR")).toBe("tar");
    expect(extensionOf(".env")).toBe("");
  });
});
