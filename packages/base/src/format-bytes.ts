const units = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Bytes as people read them, in powers of 1000: "0 B", "812 B", "2.4 MB", "41 GB". */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit] ?? "B"}`;
}
