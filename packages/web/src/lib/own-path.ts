/** Whether an address from outside may be followed: only a path of this page, never another site. */
export function isOwnPath(next: unknown): next is string {
  return typeof next === "string" && next.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\");
}
