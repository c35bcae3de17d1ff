import { describe, expect, it } from "vitest";
import { encodeChange } from "./change-codec.ts";
import { makeEntries } from "./log-store.contract.ts";
import { chainBytes, placeOf, recordSalt, recordTypes, sealRecord } from "./record.ts";
import { encodeSegmentHeader, segmentHeaderBytes } from "./segment-header.ts";
import { scanSegment, type SegmentScan } from "./segment-scan.ts";

const incarnation = new Uint8Array(16).fill(7);
const salt = recordSalt(incarnation);
const genesis = new Uint8Array(chainBytes);

/** A segment as it lies on disk, and where its records end. Each inner list is one write with one sync after it. */
function buildSegment(
  writes: readonly (readonly number[])[],
  place?: number,
): {
  bytes: Uint8Array;
  ends: number[];
  writeEnds: number[];
} {
  const parts = [
    encodeSegmentHeader({
      identity: { clusterId: "c", peer: 1, incarnation },
      sequence: 1,
      nextIndex: 1,
      previousChain: genesis,
    }),
  ];
  let offset = segmentHeaderBytes;
  let chain: Uint8Array = genesis;
  const ends: number[] = [];
  const writeEnds: number[] = [];
  for (const write of writes) {
    const syncedBytes = offset;
    for (const first of write) {
      const entries = makeEntries(first, first + 1, 1);
      const { record, bodyBytes } = encodeChange({ entries });
      chain = sealRecord(record, bodyBytes, {
        salt,
        type: recordTypes.change,
        firstIndex: first,
        entryCount: 2,
        lastTerm: 1,
        place: place ?? placeOf(1, offset),
        syncedBytes,
        previousChain: chain,
      });
      parts.push(record);
      offset += record.length;
      ends.push(offset);
    }
    writeEnds.push(offset);
  }
  return { bytes: Uint8Array.from(parts.flatMap((part) => [...part])), ends, writeEnds };
}

function scan(bytes: Uint8Array, isLast = true): SegmentScan {
  return scanSegment(bytes, { sequence: 1, previousChain: genesis, salt, isLast });
}

describe("scanSegment", () => {
  const { bytes, ends, writeEnds } = buildSegment([[1, 3], [5], [7, 9, 11]]);

  it("reads a sound segment to its end", () => {
    const found = scan(bytes, false);
    expect(found.fault).toBeUndefined();
    expect(found.records.map((record) => record.header.firstIndex)).toEqual([1, 3, 5, 7, 9, 11]);
    expect(found.endOffset).toBe(bytes.length);
  });

  it("takes every cut of the last segment as torn and keeps all whole records before it", () => {
    for (let cut = segmentHeaderBytes; cut < bytes.length; cut++) {
      const found = scan(bytes.subarray(0, cut));
      expect(found.records.length).toBe(ends.filter((end) => end <= cut).length);
      expect(found.fault?.kind).toBe(ends.includes(cut) || cut === segmentHeaderBytes ? undefined : "torn");
    }
  });

  it("takes a cut of an earlier segment as corruption", () => {
    expect(scan(bytes.subarray(0, bytes.length - 1), false).fault?.kind).toBe("corrupt");
  });

  it("takes zeros behind the last record, as a grown file that was never written, as torn", () => {
    const grown = new Uint8Array(bytes.length + 4096);
    grown.set(bytes);
    expect(scan(grown).fault).toEqual({ offset: bytes.length, kind: "torn", reason: "no sound record header" });
  });

  it("loses one record to a wrong byte, and says where, when a later write says that it was synced", () => {
    const syncedEnd = writeEnds[1] ?? 0;
    let lost = 0;
    for (let at = segmentHeaderBytes; at < syncedEnd; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      const { fault, records, endOffset } = scan(damaged);
      expect(fault).toBeUndefined();
      expect(endOffset).toBe(bytes.length);
      // Padding carries nothing and is not checked.
      if (records.length === 6) continue;
      lost++;
      expect(records.length).toBe(5);
      const start = [segmentHeaderBytes, ...ends].findLast((end) => end <= at);
      const behind = records.filter((record) => record.damage !== undefined);
      expect(behind.map(({ offset, damage }) => [offset, damage?.offset])).toEqual([
        [ends.find((end) => end > at), start],
      ]);
    }
    expect(lost).toBeGreaterThan(300);
  });

  it("loses all it cannot frame when neither headers nor bodies are left, up to the next sound record", () => {
    const damaged = Uint8Array.from(bytes);
    damaged.fill(0x5a, (ends[0] ?? 0) + 3, (ends[2] ?? 0) - 3);
    const { records, fault } = scan(damaged, false);
    expect(fault).toBeUndefined();
    expect(records.map(({ header, damage }) => [header.firstIndex, damage?.offset])).toEqual([
      [1, undefined],
      [7, ends[0]],
      [9, undefined],
      [11, undefined],
    ]);
  });

  it("takes no record of an earlier version behind damage: nothing says where it belongs", () => {
    const old = buildSegment([[1], [3], [5]], 0);
    const damaged = Uint8Array.from(old.bytes);
    damaged[(old.ends[0] ?? 0) + 80] = 0xee;
    expect(scan(damaged).fault).toMatchObject({ kind: "corrupt", offset: old.ends[0] });
    expect(scan(old.bytes).records.length).toBe(3);
  });

  it("takes holes in the last write, whose pages arrived out of order, as torn", () => {
    const start = writeEnds[1] ?? 0;
    const holed = Uint8Array.from(bytes);
    holed.fill(0, start + 8, start + 100);
    const found = scan(holed);
    expect(found.fault?.kind).toBe("torn");
    expect(found.records.length).toBe(3);
  });

  it("refuses a record that was moved: neither chain nor place fits", () => {
    const swapped = buildSegment([[1], [3], [5]]);
    const length = (swapped.ends[1] ?? 0) - (swapped.ends[0] ?? 0);
    const moved = Uint8Array.from(swapped.bytes);
    moved.copyWithin(swapped.ends[0] ?? 0, swapped.ends[1] ?? 0, (swapped.ends[1] ?? 0) + length);
    const damage = { offset: swapped.ends[0], reason: "the hash chain is broken" };
    expect(scan(moved).records.map((record) => [record.header.firstIndex, record.damage])).toEqual([
      [1, undefined],
      [5, damage],
    ]);
  });

  it("does not take a record of another directory for one of its own", () => {
    expect(scanSegment(bytes, { sequence: 1, previousChain: genesis, salt: salt ^ 1, isLast: true }).records).toEqual(
      [],
    );
  });
});
