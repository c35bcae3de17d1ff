import { fromBinary, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { HoldfastError, plainBytes } from "@holdfast/base";
import { encodeBulk } from "./bulk-field.ts";
import { messageBytesMax, sizeOf, type EncodedMessage } from "./byte-call.ts";

/** Encodes a message. Errors: `tooLarge`; `invalidArgument` when a field's value does not fit its type. */
export function encodeMessage<D extends DescMessage>(schema: D, message: MessageShape<D>): EncodedMessage {
  const encoded: EncodedMessage = encodeBulk(schema, message) ?? [toBytes(schema, message)];
  if (sizeOf(encoded) > messageBytesMax) {
    throw new HoldfastError(
      "tooLarge",
      `a ${schema.name} of ${sizeOf(encoded)} bytes is larger than the limit of ${messageBytesMax}; send less at once`,
    );
  }
  return encoded;
}

/** Decodes a message. Errors: `invalidArgument` when the bytes are not one. */
export function decodeMessage<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    // Fields of bytes are views of what is decoded, and of its class.
    return fromBinary(schema, plainBytes(bytes));
  } catch (cause) {
    throw new HoldfastError("invalidArgument", `the bytes received are not a ${schema.name}`, { cause });
  }
}

function toBytes<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array {
  try {
    return toBinary(schema, message);
  } catch (cause) {
    throw new HoldfastError(
      "invalidArgument",
      `a ${schema.name} cannot be encoded: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
