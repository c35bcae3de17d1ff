import type { ServerResponse } from "node:http";

const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // React and the chart library set styles from scripts; no style can read or send anything.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "frame-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. */
export function setCommonHeaders(
  response: ServerResponse,
  options: { readonly isSecure: boolean; readonly requestId: string },
): void {
  response.setHeader("X-Request-Id", options.requestId);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  if (options.isSecure) response.setHeader("Strict-Transport-Security", "max-age=31536000");
}

/** Headers of the page and what belongs to it. */
export function setPageHeaders(response: ServerResponse): void {
  response.setHeader("Content-Security-Policy", pagePolicy);
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
}
