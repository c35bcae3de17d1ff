import { HoldfastError } from "@holdfast/base";
import { messageBytesMax, sizeOf, type EncodedMessage } from "../../binding/byte-call.ts";

/**
 * gRPC's message framing: one byte of flags (1 = compressed), four bytes of length, the message.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md ("Length-Prefixed-Message").
 */
const prefixBytes = 5;

/** The prefix and what follows it, as pieces to be written; the first piece is joined with the prefix, the data is not copied. */
export function frameMessage(message: EncodedMessage): readonly Uint8Array[] {
  const [first, ...rest] = message;
  const isFirstSmall = first !== undefined && first.length <= 4096;
  const head = Buffer.allocUnsafe(prefixBytes + (isFirstSmall ? first.length : 0));
  head[0] = 0;
  head.writeUInt32BE(sizeOf(message), 1);
  if (isFirstSmall) head.set(first, prefixBytes);
  return isFirstSmall ? [head, ...rest] : [head, ...message];
}

/** Cuts a byte stream into messages. A message that lies within one chunk is not copied, others once. */
export class MessageParser {
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixLength = 0;
  #message: Buffer | undefined;
  #messageLength = 0;

  /** Whether the stream may end here. */
  get isBetweenMessages(): boolean {
    return this.#prefixLength === 0 && this.#message === undefined;
  }

  /** Takes a chunk, hands out the messages it completes. Errors: `tooLarge`, `precondition` for compressed messages. */
  push(chunk: Buffer, take: (message: Buffer) => void): void {
    let position = 0;
    while (position < chunk.length) {
      if (this.#message !== undefined) {
        position += this.#fill(this.#message, chunk, position, take);
        continue;
      }
      const count = Math.min(prefixBytes - this.#prefixLength, chunk.length - position);
      chunk.copy(this.#prefix, this.#prefixLength, position, position + count);
      this.#prefixLength += count;
      position += count;
      if (this.#prefixLength < prefixBytes) return;
      this.#prefixLength = 0;
      const lengthBytes = this.#readPrefix();
      if (chunk.length - position >= lengthBytes) {
        take(chunk.subarray(position, position + lengthBytes));
        position += lengthBytes;
      } else {
        this.#message = Buffer.allocUnsafeSlow(lengthBytes);
        this.#messageLength = 0;
      }
    }
  }

  #readPrefix(): number {
    if (this.#prefix[0] !== 0) throw new HoldfastError("precondition", "compressed messages are not spoken here");
    const lengthBytes = this.#prefix.readUInt32BE(1);
    if (lengthBytes > messageBytesMax) {
      throw new HoldfastError(
        "tooLarge",
        `a message of ${lengthBytes} bytes is larger than the limit of ${messageBytesMax}; send less at once`,
      );
    }
    return lengthBytes;
  }

  #fill(message: Buffer, chunk: Buffer, position: number, take: (message: Buffer) => void): number {
    const count = Math.min(message.length - this.#messageLength, chunk.length - position);
    chunk.copy(message, this.#messageLength, position, position + count);
    this.#messageLength += count;
    if (this.#messageLength === message.length) {
      this.#message = undefined;
      take(message);
    }
    return count;
  }
}
