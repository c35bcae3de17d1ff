// Writes the bytes of sample events that have none yet: `node packages/master/testdata/write-golden-events.ts`.
// Bytes that are there are never touched; the test says when they no longer match.
import { existsSync, writeFileSync } from "node:fs";
import { toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@holdfast/proto/events/v1/events";
import { eventToWire } from "../src/event-codec/event-codec.ts";
import { sampleEvents, sampleFileName } from "../src/testing/sample-events.ts";

for (const [position, event] of sampleEvents.entries()) {
  const file = new URL(`events/v1/${sampleFileName(position, event)}`, import.meta.url);
  if (!existsSync(file)) writeFileSync(file, toBinary(EventSchema, eventToWire(event)));
}
