import { connect } from "node:net";

/** Sends raw bytes over TCP and answers everything that came back until the server closed the connection. */
export async function sendRaw(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const received: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => received.push(bytes));
  const closed = new Promise<void>((resolve) => {
    // A reset after the answer is one way for a server to close.
    socket.on("error", () => undefined);
    socket.once("close", () => resolve());
  });
  for (const piece of pieces) socket.write(piece);
  await closed;
  return Buffer.concat(received).toString("latin1");
}
