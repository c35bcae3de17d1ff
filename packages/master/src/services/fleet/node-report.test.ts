import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { encodeBucketDigests, isHoldfastError } from "@holdfast/base";
import { HeartbeatRequestSchema } from "@holdfast/proto/master/v1/master";
import { describe, expect, it } from "vitest";
import { reportFromWire, type NodeReport } from "./node-report.ts";

type Fields = MessageInitShape<typeof HeartbeatRequestSchema>;

const report = (fields: Fields): NodeReport => reportFromWire(create(HeartbeatRequestSchema, fields));

const impossible = 2n ** 63n;

describe("a node's report", () => {
  it("has the digest of every bucket in its place, or none", () => {
    const digests = Array.from({ length: 256 }, (_, bucket) => bucket * 2 ** 40);
    expect(report({ bucketDigests: encodeBucketDigests(digests) }).digests).toEqual(digests);
    expect(report({}).digests).toEqual([]);
  });

  it.each<readonly [string, Fields]>([
    ["digests cut off", { bucketDigests: encodeBucketDigests([]).subarray(1) }],
    ["digests of too many buckets", { bucketDigests: new Uint8Array(257 * 6) }],
    ["a listing of a bucket that is none", { listed: [{ bucket: 256 }] }],
    ["a listed chunk id beyond all numbers", { listed: [{ bucket: 1, chunks: [{ chunkId: impossible }] }] }],
    ["an added chunk id beyond all numbers", { added: [{ chunkId: impossible }] }],
    ["a capacity beyond all numbers", { capacityBytes: impossible }],
    ["a disk with more than there is", { disks: [{ path: "/data", usedBytes: impossible }] }],
    ["a sequence beyond all numbers", { sequence: impossible }],
    ["a drill beyond all numbers", { drillIds: [impossible] }],
    ["a credential without end", { joinCredential: "x".repeat(5000) }],
  ])("is refused with %s", (_, fields) => {
    const refusal = (): unknown => {
      try {
        return report(fields);
      } catch (error) {
        return error;
      }
    };
    const error = refusal();
    expect(isHoldfastError(error) && error.kind).toBe("invalidArgument");
  });

  it("with a disk state that nobody knows counts as from a failed disk", () => {
    expect(report({ diskState: "splendid" }).load.diskState).toBe("failed");
    expect(report({ diskState: "full" }).load.diskState).toBe("full");
  });
});
