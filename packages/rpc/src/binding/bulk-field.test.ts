import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes } from "@holdfast/base";
import {
  ReadChunkRequestSchema,
  ReadChunkResponseSchema,
  WriteChunkRequestSchema,
} from "@holdfast/proto/chunk/v1/chunk";
import { expect, test } from "vitest";
import { encodeBulk } from "./bulk-field.ts";

test.each([4096, 16_384, 1_048_576, 2_097_153])(
  "a frame of %i bytes is encoded as the library would, without copying the data",
  (size) => {
    const data = new Uint8Array(size).fill(7);
    const request = create(WriteChunkRequestSchema, { frame: { case: "data", value: data } });
    const response = create(ReadChunkResponseSchema, { data });
    const bulkRequest = encodeBulk(WriteChunkRequestSchema, request) ?? [];
    const bulkResponse = encodeBulk(ReadChunkResponseSchema, response) ?? [];
    expect(Buffer.compare(concatBytes(bulkRequest), toBinary(WriteChunkRequestSchema, request))).toBe(0);
    expect(Buffer.compare(concatBytes(bulkResponse), toBinary(ReadChunkResponseSchema, response))).toBe(0);
    expect(bulkRequest[1]).toBe(data);
  },
);

test("every other message is left to the library", () => {
  expect(
    encodeBulk(
      WriteChunkRequestSchema,
      create(WriteChunkRequestSchema, { frame: { case: "header", value: { clusterId: "c" } } }),
    ),
  ).toBeUndefined();
  expect(encodeBulk(WriteChunkRequestSchema, create(WriteChunkRequestSchema))).toBeUndefined();
  expect(
    encodeBulk(ReadChunkResponseSchema, create(ReadChunkResponseSchema, { data: new Uint8Array(100) })),
  ).toBeUndefined();
  expect(encodeBulk(ReadChunkRequestSchema, create(ReadChunkRequestSchema, { chunkId: 1n }))).toBeUndefined();
});
