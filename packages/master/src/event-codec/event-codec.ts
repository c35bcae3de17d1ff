import { create, fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";
import { EventBatchSchema, EventSchema, type Event } from "@holdfast/proto/events/v1/events";
import type { DomainEvent, EventBatch, EventKind } from "../domain/events.ts";
import { caseSchema, messageOf, plainOf, type PlainOf } from "../wire/plain.ts";

type WireCase = Exclude<Event["event"], { case: undefined }>;
type WireEvent = { [C in WireCase as C["case"]]: { readonly kind: C["case"] } & PlainOf<C["value"]> }[WireCase["case"]];

// The domain's hand-written events and the proto agree in both directions, or these two lines do not compile.
const domainIsWire = (event: DomainEvent): WireEvent => event;
const wireIsDomain = (event: WireEvent): DomainEvent => event;

/** One log entry's bytes. Deterministic for equal batches. */
export function encodeBatch(batch: EventBatch): Uint8Array {
  const message = create(EventBatchSchema, {
    requestId: batch.requestId,
    actor: batch.actor,
    atMs: BigInt(batch.atMs),
    events: batch.events.map((event) => eventToWire(event)),
    outcome: batch.outcome,
    sequence: BigInt(batch.sequence),
  });
  return toBinary(EventBatchSchema, message);
}

/**
 * The batch of a log entry. Errors: `internal` for an event or a field that this program does not know, and for bytes
 * that are no batch: folding on without it would make this master differ from the others for ever, so the caller halts.
 */
export function decodeBatch(bytes: Uint8Array): EventBatch {
  const message = parse(bytes);
  if (hasUnknown(message)) throw unknownEvent("a field of the batch");
  return {
    requestId: message.requestId,
    actor: message.actor,
    atMs: Number(message.atMs),
    events: message.events.map((event) => eventFromWire(event)),
    outcome: message.outcome,
    sequence: Number(message.sequence),
  };
}

function parse(bytes: Uint8Array) {
  try {
    return fromBinary(EventBatchSchema, bytes);
  } catch (error) {
    throw new HoldfastError(
      "internal",
      "A log entry can't be read as an event batch. This master stops; its data is kept.",
      {
        cause: error,
      },
    );
  }
}

/** The wire form of one event. */
export function eventToWire(event: DomainEvent): Event {
  const { kind, ...fields } = domainIsWire(event);
  const schema = must(caseSchema(EventSchema, kind), "every event of the domain is in the proto");
  return create(EventSchema, { event: { case: kind, value: messageOf(schema, fields) } as unknown as WireCase });
}

/** The plain form of one event. Errors: see `decodeBatch`. */
export function eventFromWire(wire: Event): DomainEvent {
  const kind: EventKind | undefined = wire.event.case;
  const schema = kind === undefined ? undefined : caseSchema(EventSchema, kind);
  if (kind === undefined || schema === undefined) throw unknownEvent("an event");
  const value = wire.event.value as Message;
  if (hasUnknown(wire) || hasUnknown(value)) throw unknownEvent(`a field of ${kind}`);
  return wireIsDomain({ kind, ...plainOf(schema, value) } as unknown as WireEvent);
}

function hasUnknown(message: Message): boolean {
  return message.$unknown !== undefined && message.$unknown.length > 0;
}

function unknownEvent(what: string): HoldfastError {
  return new HoldfastError(
    "internal",
    `The log holds ${what} that this version of Holdfast does not know. This master stops; start it with the newer version.`,
  );
}
