import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createNodeTimers } from "@holdfast/runtime/node";
import { expect, it } from "vitest";
import { tendSession } from "./session-settings.ts";

it("a session that was given up while it connected is left alone", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    await once(session, "connect");
    session.destroy();
    expect(() => tendSession(session, createNodeTimers())).not.toThrow();
  } finally {
    server.close();
  }
});
