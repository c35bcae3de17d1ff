import { expect, test } from "vitest";
import { formatBytes } from "./format-bytes.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [12_040, "12 kB"],
  [9_960, "10 kB"],
  [999_700, "1.0 MB"],
  [2_411_724, "2.4 MB"],
  [41_000_000_000, "41 GB"],
  [9_007_199_254_740_991, "9.0 PB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
