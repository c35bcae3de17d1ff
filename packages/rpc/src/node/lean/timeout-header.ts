const msByUnit: Readonly<Record<string, number>> = { n: 1e-6, u: 1e-3, m: 1, S: 1000, M: 60_000, H: 3_600_000 };

/** `grpc-timeout` of a duration: at most eight digits and a unit. */
export function formatTimeout(timeoutMs: number): string {
  const wholeMs = Math.max(1, Math.ceil(timeoutMs));
  return wholeMs < 1e8 ? `${wholeMs}m` : `${Math.ceil(wholeMs / 1000)}S`;
}

/** Ms of a `grpc-timeout`; undefined when there is none or it cannot be read. */
export function parseTimeout(header: string | undefined): number | undefined {
  const match = /^(\d{1,8})([numSMH])$/.exec(header ?? "");
  const factor = msByUnit[match?.[2] ?? ""];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}
