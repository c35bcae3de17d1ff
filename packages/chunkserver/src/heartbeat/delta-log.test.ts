import { describe, expect, it } from "vitest";
import { DeltaLog } from "./delta-log.ts";

const chunk = (chunkId: number): { chunkId: number; generation: number; lengthBytes: number } => ({
  chunkId,
  generation: 1,
  lengthBytes: 10,
});

describe("DeltaLog", () => {
  it("sends a change once a stream until it is confirmed", () => {
    const log = new DeltaLog();
    log.added(chunk(1));
    expect(log.take(1).added).toEqual([chunk(1)]);
    expect(log.take(2).added).toEqual([]);
    log.startStream();
    log.confirm(5);
    expect(log.take(6)).toMatchObject({ added: [], stillHeld: [chunk(1)] });
    log.confirm(5);
    expect(log.size).toBe(1);
    log.confirm(6);
    expect(log.size).toBe(0);
  });

  it("keeps only the last of several changes of a copy", () => {
    const log = new DeltaLog();
    log.added(chunk(1));
    log.take(1);
    log.corrupt(chunk(1));
    log.added(chunk(2));
    log.trimmed(chunk(2));
    log.confirm(1);
    expect(log.take(2)).toEqual({ added: [], stillHeld: [], trimmed: [chunk(2)], corrupt: [chunk(1)] });
  });

  it("tells a copy as added again when it was written or verified anew", () => {
    const log = new DeltaLog();
    log.added(chunk(1));
    log.added(chunk(2));
    log.take(1);
    log.startStream();
    log.added(chunk(1));
    expect(log.take(2)).toMatchObject({ added: [chunk(1)], stillHeld: [chunk(2)] });
  });

  it("bounds a report", () => {
    const log = new DeltaLog();
    for (let chunkId = 1; chunkId <= 20_001; chunkId++) log.added(chunk(chunkId));
    expect([log.take(1).added.length, log.take(2).added.length]).toEqual([20_000, 1]);
  });
});
