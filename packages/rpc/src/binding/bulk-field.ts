import { isFieldSet, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";

/** Below it a copy is cheaper than a second piece. */
const bulkBytesMin = 4096;
const wireTypeLengthDelimited = 2;

const bulkFields = new WeakMap<DescMessage, { readonly field: DescField | undefined }>();

/**
 * A message that is nothing but one large `bytes` field, as its two pieces: the field's tag and length, and the bytes
 * themselves, uncopied. Undefined for every other message.
 */
export function encodeBulk(schema: DescMessage, message: Message): readonly [Uint8Array, Uint8Array] | undefined {
  const field = bulkFieldOf(schema);
  if (field === undefined || message.$unknown !== undefined || !isFieldSet(message, field)) return undefined;
  const data = valueOf(message, field);
  if (data.length < bulkBytesMin) return undefined;
  const head: number[] = [];
  pushVarint(head, field.number * 8 + wireTypeLengthDelimited);
  pushVarint(head, data.length);
  return [Uint8Array.from(head), data];
}

/** The only `bytes` field of a message of which no two fields can be set at once. */
function bulkFieldOf(schema: DescMessage): DescField | undefined {
  const known = bulkFields.get(schema);
  if (known !== undefined) return known.field;
  const isOneAtATime =
    schema.fields.length === 1 ||
    (schema.oneofs.length === 1 && schema.fields.every((field) => field.oneof !== undefined));
  const bytesFields = schema.fields.filter((field) => field.fieldKind === "scalar" && field.scalar === scalarTypeBytes);
  const field = isOneAtATime && bytesFields.length === 1 ? bytesFields[0] : undefined;
  bulkFields.set(schema, { field });
  return field;
}

/** `ScalarType.BYTES`. */
const scalarTypeBytes = 12;

function valueOf(message: Message, field: DescField): Uint8Array {
  const holder: unknown = Reflect.get(message, field.oneof?.localName ?? field.localName);
  const value: unknown =
    field.oneof === undefined ? holder : Reflect.get(must(holder, "a set oneof has a value") as object, "value");
  // The field's scalar type is bytes.
  return value as Uint8Array;
}

function pushVarint(target: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    target.push((rest & 127) | 128);
    rest >>>= 7;
  }
  target.push(rest);
}
