import type { Http2Stream } from "node:http2";
import type { HoldfastError } from "@holdfast/base";
import type { EncodedMessage } from "../../binding/byte-call.ts";
import { frameMessage, MessageParser } from "./message-frames.ts";

/** Bytes handed to HTTP/2 but not sent; beyond it `send` waits. */
const unsentBytesMax = 1024 * 1024;
/** Bytes received but not taken; beyond it nothing more is read, and HTTP/2's window fills. */
const untakenBytesMax = 1024 * 1024;

/** Messages over one HTTP/2 stream, with back-pressure both ways. Knows nothing of calls, statuses or trailers. */
export class MessageChannel {
  readonly #stream: Http2Stream;
  readonly #parser = new MessageParser();
  #messages: Buffer[] = [];
  #untakenBytes = 0;
  #unsentBytes = 0;
  #wakeReceiver: (() => void) | undefined;
  #wakeSender: (() => void) | undefined;
  #isEnded = false;
  #isClosed = false;

  /** `onBroken` hears of bytes that are not messages. */
  constructor(stream: Http2Stream, onBroken: (error: HoldfastError) => void) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#take(chunk, onBroken));
    stream.on("end", () => this.#finish());
    stream.on("close", () => this.close());
  }

  /** Settles when there is room for more, or the stream is closed. */
  async send(message: EncodedMessage): Promise<void> {
    if (this.#isClosed) return;
    const pieces = frameMessage(message);
    // One piece needs no gathering, which takes longer than writing it.
    if (pieces.length > 1) this.#stream.cork();
    for (const piece of pieces) {
      this.#unsentBytes += piece.length;
      this.#stream.write(piece, () => this.#sent(piece.length));
    }
    if (pieces.length > 1) this.#stream.uncork();
    while (this.#unsentBytes > unsentBytesMax && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wakeSender = resolve;
      });
    }
  }

  /** The next message; undefined when there will be none. */
  async receive(): Promise<Buffer | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        this.#untakenBytes -= message.length;
        if (this.#untakenBytes <= untakenBytesMax && this.#stream.isPaused()) this.#stream.resume();
        return message;
      }
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReceiver = resolve;
      });
    }
  }

  /** Drops what was not taken and wakes who waits. Idempotent. */
  abandon(): void {
    this.#messages = [];
    this.close();
  }

  /** No more will come or go; what came stays to be taken. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#wakeSender?.();
    this.#finish();
  }

  #take(chunk: Buffer, onBroken: (error: HoldfastError) => void): void {
    if (this.#isEnded) return;
    try {
      this.#parser.push(chunk, (message) => {
        this.#messages.push(message);
        this.#untakenBytes += message.length;
      });
    } catch (error) {
      // The parser throws nothing else.
      onBroken(error as HoldfastError);
      return;
    }
    if (this.#untakenBytes > untakenBytesMax) this.#stream.pause();
    if (this.#messages.length > 0) this.#wakeReceiver?.();
  }

  #sent(sizeBytes: number): void {
    this.#unsentBytes -= sizeBytes;
    if (this.#unsentBytes <= unsentBytesMax) this.#wakeSender?.();
  }

  #finish(): void {
    this.#isEnded = true;
    this.#wakeReceiver?.();
  }
}
