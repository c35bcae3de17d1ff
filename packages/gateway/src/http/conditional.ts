/** Conditions of a read. */
export interface ReadConditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifRange: string | undefined;
}

/** The strong tag of a version: a version never changes. */
export function versionTag(versionId: bigint): string {
  return `"v${versionId}"`;
}

/** What the conditions make of a read. Source: RFC 9110 section 13.2.2. */
export function evaluateConditions(conditions: ReadConditions, tag: string): "go" | "notModified" | "failed" {
  if (conditions.ifMatch !== undefined && !lists(conditions.ifMatch, tag, "strong")) return "failed";
  if (conditions.ifNoneMatch !== undefined && lists(conditions.ifNoneMatch, tag, "weak")) return "notModified";
  return "go";
}

/** Whether a `Range` header counts: without `If-Range`, or when that names this very version. A date never does. */
export function isRangeWanted(conditions: ReadConditions, tag: string): boolean {
  return conditions.ifRange === undefined || conditions.ifRange.trim() === tag;
}

function lists(header: string, tag: string, comparison: "strong" | "weak"): boolean {
  if (header.trim() === "*") return true;
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((listed) => (comparison === "weak" ? listed.replace(/^W\//, "") : listed) === tag);
}
