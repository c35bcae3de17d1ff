/** How the session travels in a browser: under a name that only this host can set over TLS, and a plain one without. */
export interface SessionCookie {
  /** The token in a `Cookie` header, if there is one. */
  read(header: string | undefined): string | undefined;
  /** `Set-Cookie` value that gives it. */
  give(token: string, maxAgeMs: number): string;
  /** `Set-Cookie` value that takes it away. */
  take(): string;
}

/** The session cookie for a gateway that is reached over TLS or not. Source: OWASP Session Management Cheat Sheet. */
export function sessionCookie(isSecure: boolean): SessionCookie {
  const name = isSecure ? "__Host-sid" : "holdfast-sid";
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
  return {
    read(header) {
      for (const pair of (header ?? "").split(";")) {
        const equals = pair.indexOf("=");
        if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
      }
      return undefined;
    },
    give: (token, maxAgeMs) => `${name}=${token}; Max-Age=${Math.floor(maxAgeMs / 1000)}; ${attributes}`,
    take: () => `${name}=; Max-Age=0; ${attributes}`,
  };
}
