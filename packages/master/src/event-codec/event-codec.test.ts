import { create, toBinary } from "@bufbuild/protobuf";
import { EventBatchSchema, EventSchema } from "@holdfast/proto/events/v1/events";
import { describe, expect, it } from "vitest";
import { sampleEvents } from "../testing/sample-events.ts";
import { decodeBatch, encodeBatch } from "./event-codec.ts";

const batch = {
  requestId: "r1",
  actor: "user:7",
  atMs: 1_700_000_000_000,
  events: sampleEvents,
  outcome: Uint8Array.of(1, 2),
  sequence: 9,
};

describe("event codec", () => {
  it("gives back what it was given", () => {
    expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
  });

  it("halts at an event of a newer version", () => {
    // Field 999 of Event, an empty message: a oneof case that this program does not know.
    const event = create(EventSchema);
    event.$unknown = [{ no: 999, wireType: 2, data: Uint8Array.of(0) }];
    const bytes = toBinary(EventBatchSchema, create(EventBatchSchema, { actor: "x", events: [event] }), {
      writeUnknownFields: true,
    });
    expect(() => decodeBatch(bytes)).toThrowError(/newer version/);
  });

  it("halts at a new field of an event that it knows", () => {
    const event = create(EventSchema, { event: { case: "nodeUp", value: { nodeId: 1 } } });
    if (event.event.case === "nodeUp") event.event.value.$unknown = [{ no: 77, wireType: 0, data: Uint8Array.of(1) }];
    const bytes = toBinary(EventBatchSchema, create(EventBatchSchema, { events: [event] }));
    expect(() => decodeBatch(bytes)).toThrowError(/newer version/);
  });

  it.each([
    ["nothing readable", Uint8Array.of(255, 255, 255)],
    ["cut off", encodeBatch(batch).slice(0, -3)],
  ])("halts at bytes with %s", (_why, bytes) => {
    expect(() => decodeBatch(bytes)).toThrowError(/can't be read/);
  });

  it("halts at numbers above 2^53", () => {
    const event = create(EventSchema, { event: { case: "entryPurged", value: { entryId: 2n ** 60n } } });
    const bytes = toBinary(EventBatchSchema, create(EventBatchSchema, { events: [event] }));
    expect(() => decodeBatch(bytes)).toThrowError(/out of range/);
  });
});
