import { HoldfastError } from "@holdfast/base";
import { failureFromHttp } from "../../lib/failure.ts";
import { after } from "../../lib/time.ts";

const silenceMaxMs = 30_000;

/** One PUT with progress. Fails with `HoldfastError`: `unavailable` when the line breaks or is silent for 30 s, `cancelled` by the signal. */
export function putBytes(
  url: string,
  body: Blob,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly onProgress: (bytes: number) => void;
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let cancelSilence = after(silenceMaxMs, () => request.abort());
    const alive = () => {
      cancelSilence();
      cancelSilence = after(silenceMaxMs, () => request.abort());
    };
    const abort = () => request.abort();
    options.signal.addEventListener("abort", abort, { once: true });
    request.upload.onprogress = (event) => {
      alive();
      options.onProgress(event.loaded);
    };
    request.onloadend = () => {
      cancelSilence();
      options.signal.removeEventListener("abort", abort);
      if (request.status >= 200 && request.status < 300) resolve();
      else if (options.signal.aborted) reject(new HoldfastError("cancelled", "Stopped."));
      else reject(failureFromHttp(request.status, request.responseText));
    };
    request.open("PUT", url);
    for (const [name, value] of Object.entries(options.headers)) request.setRequestHeader(name, value);
    request.send(body);
  });
}

/** SHA-256 in hex, where the browser can (HTTPS or localhost); else undefined. The browser hashes off the main thread. */
export async function sha256Of(body: Blob): Promise<string | undefined> {
  if (!isSecureContext) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", await body.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
