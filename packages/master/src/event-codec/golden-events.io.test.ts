import { readdirSync, readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@holdfast/proto/events/v1/events";
import { describe, expect, it } from "vitest";
import { evolve } from "../domain/evolve.ts";
import { tablesOf } from "../domain/tables.ts";
import { MemoryView } from "../testing/memory-view.ts";
import { sampleEvents, sampleFileName } from "../testing/sample-events.ts";
import { eventFromWire, eventToWire } from "./event-codec.ts";

const folder = new URL("../../testdata/events/v1/", import.meta.url);
const names = sampleEvents.map((event, position) => sampleFileName(position, event));

describe("events that were ever written", () => {
  it("are kept, each kind at least once", () => {
    expect(readdirSync(folder).sort()).toEqual(names);
    const kinds = EventSchema.oneofs[0]?.fields.map((field) => field.localName).sort();
    expect([...new Set(sampleEvents.map((event) => event.kind))].sort()).toEqual(kinds);
  });

  it.each(names)("%s decodes to what it meant and encodes to the same bytes", (name) => {
    const position = names.indexOf(name);
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    const event = eventFromWire(fromBinary(EventSchema, bytes));
    expect(event).toEqual(sampleEvents[position]);
    expect(toBinary(EventSchema, eventToWire(event))).toEqual(bytes);
  });

  it("fold", () => {
    const tables = tablesOf(new MemoryView());
    for (const [position, name] of names.entries()) {
      const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
      const event = eventFromWire(fromBinary(EventSchema, bytes));
      evolve(tables, event, { index: position + 1, atMs: 1_700_000_000_000 + position, actor: "test" });
    }
  });
});
