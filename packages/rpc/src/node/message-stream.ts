import { once, type Emitter } from "./once.ts";

/** What is used of grpc-js's object-mode duplex streams, whose chunks are whole messages. */
export interface MessageDuplex extends Emitter {
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  read(): unknown;
  write(message: Uint8Array): boolean;
}

/** The next whole message, or undefined when there will be none (ended, failed or destroyed: the caller knows which). */
export async function readMessage(stream: MessageDuplex): Promise<Buffer | undefined> {
  for (;;) {
    if (stream.readableEnded) return undefined;
    // An object-mode stream of Buffers; `null` when nothing is there.
    const message = stream.read() as Buffer | null;
    if (message !== null) return message;
    if (stream.destroyed || stream.readableEnded) return undefined;
    await once(stream, ["readable", "end", "close", "error"]);
  }
}

/** Hands a message over and waits while the stream is full. */
export async function writeMessage(stream: MessageDuplex, message: Uint8Array): Promise<void> {
  if (stream.write(message) || stream.destroyed) return;
  await once(stream, ["drain", "close", "error"]);
}
