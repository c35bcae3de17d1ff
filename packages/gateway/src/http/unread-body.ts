import type { IncomingMessage, ServerResponse } from "node:http";

const drainBytesMax = 64 * 1024 * 1024;
const drainMsMax = 10_000;

/**
 * After an answer that did not need the rest of the body: lets the client finish sending within bounds, so that it reads
 * the answer instead of a broken connection, and closes the connection then.
 */
export function endUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return;
  let drainedBytes = 0;
  const cut = setTimeout(() => request.destroy(), drainMsMax);
  request.on("data", (bytes: Uint8Array) => {
    drainedBytes += bytes.length;
    if (drainedBytes > drainBytesMax) request.destroy();
  });
  request.once("close", () => clearTimeout(cut));
  request.once("error", () => clearTimeout(cut));
  response.once("error", () => clearTimeout(cut));
  request.resume();
}
