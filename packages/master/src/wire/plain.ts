import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";

/** A message's fields as plain data: numbers for 64-bit integers, no type names, oneofs not included. */
export type PlainOf<T> = T extends bigint
  ? number
  : T extends number
    ? number
    : T extends Uint8Array
      ? Uint8Array
      : T extends readonly (infer I)[]
        ? readonly PlainOf<I>[]
        : T extends object
          ? { readonly [K in keyof T as K extends "$typeName" | "$unknown" ? never : K]: PlainOf<T[K]> }
          : T;

type Fields = Record<string, unknown>;

/**
 * Plain data of a message without oneofs, maps and 64-bit floats. Errors: `invalidArgument` for an integer above
 * 2^53 - 1 and for a missing sub-message.
 */
export function plainOf(schema: DescMessage, message: Message): Fields {
  const source = message as unknown as Fields;
  const plain: Fields = {};
  for (const field of schema.fields) plain[field.localName] = plainField(field, source[field.localName]);
  return plain;
}

function plainField(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "list") return (value as unknown[]).map((item) => plainItem(field, item));
  return plainItem(field, value);
}

function plainItem(field: DescField, value: unknown): unknown {
  if (typeof value === "bigint") return plainInteger(field, value);
  const inner = field.message;
  if (inner === undefined) return value;
  if (value === undefined)
    throw new HoldfastError("invalidArgument", `The field ${field.name} is missing. Nothing was changed.`);
  return plainOf(inner, value as Message);
}

function plainInteger(field: DescField, value: bigint): number {
  const plain = Number(value);
  if (Number.isSafeInteger(plain) && plain >= 0) return plain;
  throw new HoldfastError("invalidArgument", `The field ${field.name} is out of range. Nothing was changed.`);
}

/** The message of plain data; fields that the data lacks keep their default. */
export function messageOf(schema: DescMessage, plain: object): Message {
  const source = plain as Fields;
  const fields: Fields = {};
  for (const field of schema.fields) {
    const value = source[field.localName];
    if (value !== undefined) fields[field.localName] = wireField(field, value);
  }
  return create(schema, fields);
}

function wireField(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "list") return (value as unknown[]).map((item) => wireItem(field, item));
  return wireItem(field, value);
}

function wireItem(field: DescField, value: unknown): unknown {
  const inner = field.message;
  if (inner !== undefined) return messageOf(inner, value as object);
  return typeof value === "number" && isWide(field) ? BigInt(value) : value;
}

// descriptor.proto: INT64 3, UINT64 4, FIXED64 6, SFIXED64 16, SINT64 18.
const wideScalars: ReadonlySet<number> = new Set([3, 4, 6, 16, 18]);

function isWide(field: DescField): boolean {
  if (field.fieldKind === "scalar") return wideScalars.has(field.scalar);
  return field.fieldKind === "list" && field.listKind === "scalar" && wideScalars.has(field.scalar);
}

/** The message type of a oneof's case. */
export function caseSchema(schema: DescMessage, name: string): DescMessage | undefined {
  const oneof = must(schema.oneofs[0], "the message has a oneof");
  return oneof.fields.find((field) => field.localName === name)?.message;
}
