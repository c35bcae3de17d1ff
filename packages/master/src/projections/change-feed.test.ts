import { create } from "@bufbuild/protobuf";
import { ChangeSchema, type Change } from "@holdfast/proto/master/v1/master";
import { EntrySchema, type Entry } from "@holdfast/proto/model/v1/model";
import { describe, expect, test } from "vitest";
import { changesOf } from "./change-feed-changes.ts";
import { ChangeFeed, type FeedMessage } from "./change-feed.ts";

function change(uploadId: string): Change {
  return create(ChangeSchema, { change: { case: "upload", value: { uploadId } } });
}

function publish(feed: ChangeFeed, ...indexes: readonly number[]): void {
  for (const index of indexes) feed.publish({ index, atMs: index * 10, changes: [change(`u${index}`)] });
}

async function takeAll(watch: AsyncGenerator<FeedMessage>, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const next = await watch.next();
    if (next.done === true) break;
    const { value } = next;
    seen.push(value.kind === "reset" ? `reset@${value.index}` : `${value.item.index}`);
  }
  return seen;
}

describe("ChangeFeed", () => {
  const signal = new AbortController().signal;

  test("a state that was replaced as a whole makes every watcher read anew, and the feed goes on from there", async () => {
    const feed = new ChangeFeed(100);
    publish(feed, 101, 103);
    const [behind, upToDate] = [feed.watch(100, signal), feed.watch(103, signal)];
    expect(await takeAll(behind, 1)).toEqual(["101"]);
    const news = takeAll(upToDate, 1);
    feed.reset({ index: 200, atMs: 5 });
    expect(await news).toEqual(["reset@200"]);
    expect(await takeAll(behind, 1)).toEqual(["reset@200"]);
    publish(feed, 201);
    expect([await takeAll(upToDate, 1), await takeAll(behind, 1)]).toEqual([["201"], ["201"]]);
  });

  test("replays what is kept above the index, then goes on live, each item once and in order", async () => {
    const feed = new ChangeFeed(100);
    publish(feed, 101, 103, 104);
    const watch = feed.watch(101, signal);
    expect(await takeAll(watch, 2)).toEqual(["103", "104"]);
    const live = takeAll(watch, 2);
    publish(feed, 107);
    publish(feed, 109);
    expect(await live).toEqual(["107", "109"]);
  });

  test("an index below what is kept is answered with a reset first; the floor itself is not a gap", async () => {
    const feed = new ChangeFeed(100);
    publish(feed, 101);
    expect(await takeAll(feed.watch(99, signal), 1)).toEqual(["reset@101"]);
    expect(await takeAll(feed.watch(100, signal), 1)).toEqual(["101"]);
  });

  test("index 0 means from now on", async () => {
    const feed = new ChangeFeed(100);
    publish(feed, 101, 102);
    const watch = feed.watch(0, signal);
    const live = takeAll(watch, 1);
    publish(feed, 103);
    expect(await live).toEqual(["103"]);
  });

  test("a lagging replica's watcher is not shown again what it saw elsewhere", async () => {
    const feed = new ChangeFeed(100);
    const watch = feed.watch(104, signal);
    const live = takeAll(watch, 1);
    publish(feed, 103, 104, 105);
    expect(await live).toEqual(["105"]);
  });

  test("a watcher that is overtaken gets one reset and then what follows it, by items and by changes", async () => {
    const byItems = new ChangeFeed(0, { itemsMax: 3, changesMax: 1000 });
    publish(byItems, 1);
    const slow = byItems.watch(0, signal);
    const first = takeAll(slow, 1);
    publish(byItems, 2);
    expect(await first).toEqual(["2"]);
    publish(byItems, 3, 4, 5, 6, 7);
    expect(await takeAll(slow, 1)).toEqual(["reset@7"]);
    publish(byItems, 8);
    expect(await takeAll(slow, 1)).toEqual(["8"]);

    const byChanges = new ChangeFeed(0, { itemsMax: 1000, changesMax: 4 });
    byChanges.publish({ index: 1, atMs: 1, changes: [change("a")] });
    byChanges.publish({ index: 2, atMs: 2, changes: Array.from({ length: 5 }, (_, index) => change(`b${index}`)) });
    expect(await takeAll(byChanges.watch(1, signal), 1)).toEqual(["reset@2"]);
  });

  test("overtaken, but nothing was missed above its index: no reset", async () => {
    const feed = new ChangeFeed(0, { itemsMax: 2, changesMax: 1000 });
    const ahead = feed.watch(4, signal);
    const live = takeAll(ahead, 2);
    publish(feed, 1, 2, 3, 4, 5, 6);
    expect(await live).toEqual(["5", "6"]);
  });

  test("ends when the caller goes and when the feed closes", async () => {
    const feed = new ChangeFeed(0);
    const gone = new AbortController();
    const first = takeAll(feed.watch(0, gone.signal), 1);
    const second = takeAll(feed.watch(0, signal), 1);
    gone.abort();
    expect(await first).toEqual([]);
    feed.close();
    expect(await second).toEqual([]);
  });

  test("an index without changes moves the floor's successor on without waking anybody", async () => {
    const feed = new ChangeFeed(0);
    feed.publish({ index: 5, atMs: 50, changes: [] });
    expect(await takeAll(feed.watch(0, AbortSignal.abort()), 1)).toEqual([]);
    expect(() => feed.publish({ index: 5, atMs: 50, changes: [] })).toThrow("the feed follows the log");
  });
});

describe("changesOf", () => {
  const entryOf = (entryId: number): Entry =>
    create(EntrySchema, { entryId: BigInt(entryId), parentId: 7n, ownerId: 3n });
  const lookup = { entry: entryOf, node: () => undefined, nodeOfDrill: () => undefined };
  const noBytes = new Uint8Array(0);

  test("a new file is one change, with 0 as its source", () => {
    const version = {
      kind: "versionCommitted",
      entryId: 9,
      versionId: 1,
      sizeBytes: 0,
      sha256: noBytes,
      chunkIds: [],
      inlineContent: noBytes,
    } as const;
    const events = [{ kind: "fileCreated", entryId: 9, parentId: 7, name: "a", ownerId: 3 }, version] as const;
    expect(changesOf({ actor: "user:3", events }, lookup)).toEqual([
      create(ChangeSchema, { change: { case: "entry", value: { entry: entryOf(9), sourceParentId: 0n } } }),
    ]);
    expect(changesOf({ actor: "user:3", events: [version] }, lookup)).toEqual([
      create(ChangeSchema, { change: { case: "entry", value: { entry: entryOf(9), sourceParentId: 7n } } }),
    ]);
  });

  test("deleted for ever at once: gone from where it was, and no change of an entry that is not there", () => {
    const events = [
      { kind: "entryTrashed", entryId: 9, sourceParentId: 7 },
      { kind: "entryPurged", entryId: 9 },
    ] as const;
    expect(changesOf({ actor: "user:3", events }, { ...lookup, entry: () => undefined })).toEqual([
      create(ChangeSchema, { change: { case: "entryGone", value: { entryId: 9n, parentId: 7n, ownerId: 3n } } }),
    ]);
    expect(changesOf({ actor: "controller:purge", events: [{ kind: "entryPurged", entryId: 10 }] }, lookup)).toEqual(
      [],
    );
  });
});
