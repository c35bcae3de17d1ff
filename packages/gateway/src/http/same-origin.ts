/** What a browser says about where a request comes from. */
export interface OriginClaims {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  /** Whether the request brings a session in a cookie. */
  readonly hasCookie: boolean;
}

/**
 * Whether a request may change state: with a cookie it must come from our own page, and a foreign page may not even sign
 * somebody in. Programs without a cookie say nothing about their origin and need not. Reads are always let through.
 */
export function mayChangeState(claims: OriginClaims, isSecure: boolean): boolean {
  if (claims.method === "GET" || claims.method === "HEAD") return true;
  if (claims.secFetchSite !== undefined) return claims.secFetchSite === "same-origin";
  if (claims.origin !== undefined)
    return claims.host !== undefined && claims.origin === `${isSecure ? "https" : "http"}://${claims.host}`;
  return !claims.hasCookie;
}
