import { beforeEach, describe, expect, test } from "vitest";
import { sentBytes, type UploadEffect, type UploadItem } from "./upload-item.ts";
import { UploadQueue } from "./upload-queue.ts";
import { hasUnfinished, inPanelOrder, summarize } from "./upload-summary.ts";

const limits = { partSizeBytes: 100, requestsMax: 6, partsPerFileMax: 4, foldersMax: 4 };
const at = (nowMs: number) => ({ nowMs, jitter: 0.5 });
const retryable = { kind: "retryable", message: "The line broke." } as const;

let queue: UploadQueue;
let idCount: number;
let batch: number;

const add = (name: string, sizeBytes: number, folderPath = ""): UploadItem =>
  queue.add(batch, { name, folderPath, sizeBytes });
const told = (effects: readonly UploadEffect[]) =>
  effects.map((effect) =>
    "item" in effect
      ? `${effect.kind} ${effect.item.name}${effect.kind === "putPart" ? ` ${effect.part}` : ""}`
      : effect.kind === "makeFolder"
        ? `makeFolder ${effect.path} in ${effect.parentId}`
        : `${effect.kind} ${effect.uploadId}`,
  );
const drain = (nowMs = 0) => told(queue.drain(nowMs));

beforeEach(() => {
  idCount = 0;
  queue = new UploadQueue(limits, () => `id ${++idCount}`);
  batch = queue.openBatch({ parentId: 1, folderName: "My files" });
});

describe("upload queue", () => {
  test("small files go in one request each, six at a time", () => {
    const items = Array.from({ length: 8 }, (_, number) => add(`f${number}`, 50));
    expect(drain()).toEqual([0, 1, 2, 3, 4, 5].map((number) => `putWhole f${number}`));
    queue.completed(items[0]?.id ?? 0);
    expect(drain()).toEqual(["putWhole f6"]);
    expect(drain()).toEqual([]);
  });

  test("an empty file is a small file", () => {
    const item = add("empty", 0);
    expect(drain()).toEqual(["putWhole empty"]);
    queue.completed(item.id);
    expect(item.status).toBe("done");
  });

  test("a large file is begun, sent four parts at a time, and committed when all are stored", () => {
    const item = add("big", 450);
    expect(drain()).toEqual(["start big"]);
    queue.started(item.id, { partSizeBytes: 100 });
    const effects = queue.drain(0);
    expect(told(effects)).toEqual(["putPart big 0", "putPart big 1", "putPart big 2", "putPart big 3"]);
    queue.partStored(item.id, 1);
    const [last] = queue.drain(0);
    expect(last).toMatchObject({ kind: "putPart", part: 4, offsetBytes: 400, lengthBytes: 50 });
    for (const part of [0, 2, 3]) queue.partStored(item.id, part);
    expect(drain()).toEqual([]);
    queue.partStored(item.id, 4);
    expect(drain()).toEqual(["commit big"]);
    expect(item.status).toBe("finishing");
    queue.completed(item.id);
    expect(item.status).toBe("done");
    expect(sentBytes(item)).toBe(450);
  });

  test("a failed part is tried again after 1, 2, 4 s with jitter, while the others go on and stay stored", () => {
    const item = add("big", 300);
    drain();
    queue.started(item.id, { partSizeBytes: 100 });
    drain();
    queue.partStored(item.id, 0);
    queue.failed(item.id, retryable, { ...at(1000), part: 1 });
    queue.failed(item.id, retryable, { ...at(1001), part: 2 });
    expect(item.status).toBe("retrying");
    expect(queue.nextWakeMs()).toBe(2000);
    expect(drain(1999)).toEqual([]);
    expect(drain(2000)).toEqual(["putPart big 1", "putPart big 2"]);
    queue.failed(item.id, retryable, { ...at(2000), part: 1 });
    expect(queue.nextWakeMs()).toBe(4000);
    queue.partStored(item.id, 2);
    expect(drain(4000)).toEqual(["putPart big 1"]);
    queue.partStored(item.id, 1);
    expect(drain(4001)).toEqual(["commit big"]);
  });

  test("after five tries it fails, keeps its parts, and goes on by hand", () => {
    const item = add("big", 200);
    drain();
    queue.started(item.id, { partSizeBytes: 100 });
    drain();
    queue.partStored(item.id, 0);
    let nowMs = 0;
    for (let attempt = 0; attempt < 6; attempt++) {
      queue.failed(item.id, retryable, { ...at(nowMs), part: 1 });
      nowMs += 20_000;
      drain(nowMs);
    }
    expect(item.status).toBe("failed");
    expect(item.problem).toBe("The line broke.");
    expect(item.storedBytes).toBe(100);
    queue.resume(item.id);
    expect(drain(nowMs)).toEqual(["putPart big 1"]);
  });

  test("a fatal failure is not tried again", () => {
    const item = add("a", 50);
    drain();
    queue.failed(item.id, { kind: "fatal", message: "Not allowed." }, at(0));
    expect(item.status).toBe("failed");
    expect(queue.nextWakeMs()).toBeUndefined();
  });
});

describe("upload queue: interruptions and decisions", () => {
  test("an upload that the server forgot begins anew under a fresh id", () => {
    const item = add("big", 200);
    drain();
    queue.started(item.id, { partSizeBytes: 100 });
    drain();
    queue.failed(item.id, { kind: "lost", message: "gone" }, { ...at(0), part: 0 });
    expect(item.uploadId).toBe("id 2");
    expect(item.storedBytes).toBe(0);
    expect(drain(1000)).toEqual(["stop big", "start big"]);
  });

  test("an upload of an earlier page asks what is stored and sends only the rest", () => {
    const item = queue.add(batch, { name: "big", folderPath: "", sizeBytes: 300, resumedUploadId: "old" });
    expect(drain()).toEqual(["look big"]);
    queue.started(item.id, { partSizeBytes: 100, storedParts: [0, 2, 9] });
    expect(sentBytes(item)).toBe(200);
    expect(drain()).toEqual(["putPart big 1"]);
  });

  test("pause stops what is in flight and keeps what is stored; resume sends the rest", () => {
    const item = add("big", 300);
    drain();
    queue.started(item.id, { partSizeBytes: 100 });
    drain();
    queue.partStored(item.id, 1);
    queue.pause(item.id);
    expect(drain()).toEqual(["stop big"]);
    expect(item.status).toBe("paused");
    queue.resume(item.id);
    expect(drain()).toEqual(["putPart big 0", "putPart big 2"]);
  });

  test("cancel stops, and makes the server forget a large upload", () => {
    const big = add("big", 300);
    drain();
    queue.started(big.id, { partSizeBytes: 100 });
    drain();
    queue.cancel(big.id);
    expect(drain()).toEqual(["abort id 1", "stop big"]);
    const small = add("small", 3);
    drain();
    queue.cancel(small.id);
    expect(drain()).toEqual(["stop small"]);
    expect([big.status, small.status]).toEqual(["cancelled", "cancelled"]);
  });

  test("a taken name asks; the others go on; the decision can hold for the rest", () => {
    const [first, second] = [add("a", 10), add("b", 10)];
    drain();
    queue.failed(first.id, { kind: "nameTaken", message: "taken" }, at(0));
    expect(first.status).toBe("asking");
    queue.choose([first.id], "replace", true);
    expect(drain()).toEqual(["putWhole a"]);
    expect(first.uploadId).toBe("id 3");
    expect([first.choice, second.choice, add("c", 1).choice]).toEqual(["replace", "replace", "replace"]);
  });

  test("a name that was taken while a large file was sent is begun anew with the decision", () => {
    const item = add("big", 200);
    drain();
    queue.started(item.id, { partSizeBytes: 100 });
    drain();
    for (const part of [0, 1]) queue.partStored(item.id, part);
    expect(drain()).toEqual(["commit big"]);
    queue.failed(item.id, { kind: "nameTaken", message: "taken" }, at(0));
    queue.choose([item.id], "keepBoth", false);
    expect(drain()).toEqual(["abort id 1", "start big"]);
    expect(item.uploadId).toBe("id 2");
  });

  test("skip takes it off, now and for later ones", () => {
    const [first, second] = [add("a", 10), add("b", 10)];
    drain();
    queue.failed(first.id, { kind: "nameTaken", message: "taken" }, at(0));
    queue.choose([first.id], "skip", true);
    queue.failed(second.id, { kind: "nameTaken", message: "taken" }, at(0));
    expect([first.status, second.status]).toEqual(["skipped", "skipped"]);
  });

  test("files wait for their folder, folders for the one above", () => {
    add("top.txt", 1);
    add("deep.txt", 1, "a/b");
    expect(drain()).toEqual(["makeFolder a in 1", "putWhole top.txt"]);
    queue.folderMade(batch, "a", 20);
    expect(drain()).toEqual(["makeFolder a/b in 20"]);
    queue.folderMade(batch, "a/b", 30);
    const [effect] = queue.drain(0);
    expect(effect).toMatchObject({ kind: "putWhole", parentId: 30 });
  });

  test("a folder that cannot be made fails everything below it, and a retry makes it again", () => {
    const deep = add("deep.txt", 1, "a/b");
    const near = add("near.txt", 1, "a");
    drain();
    queue.folderRefused(batch, "a", "A file has that name.");
    expect([deep.status, near.status]).toEqual(["failed", "failed"]);
    expect(add("later.txt", 1, "a/b").status).toBe("failed");
    queue.resume(deep.id);
    expect(drain()).toEqual(["makeFolder a in 1"]);
    queue.folderMade(batch, "a", 20);
    expect(drain()).toEqual(["makeFolder a/b in 20"]);
    queue.folderMade(batch, "a/b", 30);
    expect(drain()).toEqual(["putWhole deep.txt"]);
  });

  test("the summary and the order of the panel", () => {
    const items = [add("done", 10), add("flying", 10), add("failed", 10), add("gone", 10)];
    drain();
    queue.completed(items[0]?.id ?? 0);
    queue.progressed(items[1]?.id ?? 0, 0, 4);
    queue.failed(items[2]?.id ?? 0, { kind: "fatal", message: "no" }, at(0));
    queue.cancel(items[3]?.id ?? 0);
    expect(summarize(queue.items.values())).toEqual({
      total: 3,
      done: 1,
      failed: 1,
      asking: 0,
      paused: 0,
      moving: 1,
      totalBytes: 30,
      sentBytes: 14,
    });
    expect(inPanelOrder(queue.items.values()).map((id) => queue.items.get(id)?.name)).toEqual([
      "flying",
      "failed",
      "done",
    ]);
    expect(hasUnfinished(queue.items.values())).toBe(true);
    queue.completed(items[1]?.id ?? 0);
    expect(hasUnfinished(queue.items.values())).toBe(false);
    queue.clearFinished();
    expect([...queue.items.values()].map((item) => item.name)).toEqual(["failed"]);
  });

  test("10,000 small files are planned in well under a second", () => {
    for (let number = 0; number < 10_000; number++) add(`f${number}`, 1, `folder ${number % 50}`);
    const pending = queue.drain(0);
    let sent = 0;
    for (let effect = pending.shift(); effect !== undefined; effect = pending.shift()) {
      if (effect.kind === "makeFolder") queue.folderMade(effect.batchId, effect.path, 2);
      if (effect.kind === "putWhole") queue.completed(effect.item.id);
      if (effect.kind === "putWhole") sent += 1;
      pending.push(...queue.drain(0));
    }
    expect(sent).toBe(10_000);
  });
});
