import { safeInteger } from "@holdfast/base";
import type { Change } from "@holdfast/proto/master/v1/master";
import { drive, fromConnect, reportSignedOut } from "../../lib/rpc.ts";
import { randomFraction } from "../../lib/random.ts";
import { after, delay } from "../../lib/time.ts";
import { applyEntry, applyGone, markFresh, unmarkFresh, useDrive } from "./drive-store.ts";
import { entryFromWire } from "./model/entry.ts";
import { withAllStale } from "./model/folder-pages.ts";

const silenceMaxMs = 15_000;
const tintMs = 1200;

/** Request ids of changes made in this tab would not be known to others; ids touched here are not tinted. */
const ownIds = new Map<number, number>();

/** Says that the next change of an entry comes from this tab. */
export function expectOwnChange(id: number): void {
  ownIds.set(id, (ownIds.get(id) ?? 0) + 1);
}

/** Follows the change feed until the returned function is called: reconnects with back-off, continues where it stopped. */
export function followChanges(): () => void {
  const stopped = new AbortController();
  void follow(stopped.signal);
  return () => stopped.abort();
}

async function follow(signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const before = useDrive.getState().liveIndex;
    await readFeed(signal).catch(onBrokenFeed);
    if (signal.aborted) return;
    failures = useDrive.getState().liveIndex > before ? 0 : failures + 1;
    useDrive.setState({ connection: "lost" });
    const waitMs = Math.min(8000, 400 * 2 ** Math.min(failures, 5));
    await delay(waitMs * (0.75 + randomFraction() / 2), onlineSignal(signal));
  }
}

/** A broken feed is expected, and opened again; only the end of the session is news. */
function onBrokenFeed(thrown: unknown): void {
  if (fromConnect(thrown).kind === "unauthenticated") reportSignedOut();
}

async function readFeed(outer: AbortSignal): Promise<void> {
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  outer.addEventListener("abort", abort, { once: true });
  let cancelSilence = after(silenceMaxMs, abort);
  try {
    const fromIndex = useDrive.getState().liveIndex;
    let isFirst = true;
    for await (const message of drive.watch({ fromIndex: BigInt(fromIndex) }, { signal: attempt.signal, timeoutMs: 0 })) {
      cancelSilence();
      cancelSilence = after(silenceMaxMs, abort);
      const index = safeInteger(message.index);
      if (message.isReset || (isFirst && fromIndex === 0)) readEverythingAnew(index);
      applyChanges(message.changes, index);
      useDrive.setState((state) => ({ connection: "live", liveIndex: Math.max(index, message.isReset ? 0 : state.liveIndex) }));
      isFirst = false;
    }
  } finally {
    cancelSilence();
    outer.removeEventListener("abort", abort);
    attempt.abort();
  }
}

/** Everything shown before `index` may be old: it stays on screen and is read again when in view. */
function readEverythingAnew(index: number): void {
  useDrive.setState((state) => {
    const folders = new Map(state.folders);
    for (const [id, folder] of folders) folders.set(id, withAllStale({ ...folder, changedAtIndex: index }));
    return { folders, trashTick: state.trashTick + 1 };
  });
}

function applyChanges(changes: readonly Change[], atIndex: number): void {
  const touched: number[] = [];
  let hasTrash = false;
  for (const { change } of changes) {
    if (change.case === "entry" && change.value.entry !== undefined) {
      const entry = entryFromWire(change.value.entry);
      applyEntry(entry, { sourceParentId: safeInteger(change.value.sourceParentId), atIndex });
      touched.push(entry.id);
      hasTrash ||= true;
    } else if (change.case === "entryGone") {
      applyGone({ id: safeInteger(change.value.entryId), parentId: safeInteger(change.value.parentId), atIndex });
      hasTrash ||= true;
    }
  }
  if (hasTrash) useDrive.setState((state) => ({ trashTick: state.trashTick + 1 }));
  const fresh = touched.filter((id) => !takeOwn(id));
  if (fresh.length === 0 || fresh.length > 100) return;
  markFresh(fresh);
  after(tintMs, () => unmarkFresh(fresh));
}

function takeOwn(id: number): boolean {
  const count = ownIds.get(id) ?? 0;
  if (count > 1) ownIds.set(id, count - 1);
  else ownIds.delete(id);
  return count > 0;
}

/** Aborts when the outer one does or when the browser says that it is online again. */
function onlineSignal(outer: AbortSignal): AbortSignal {
  const combined = new AbortController();
  const abort = () => combined.abort();
  outer.addEventListener("abort", abort, { once: true });
  addEventListener("online", abort, { once: true });
  return combined.signal;
}
