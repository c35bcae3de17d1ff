import { safeInteger } from "@holdfast/base";
import type { Change } from "@holdfast/proto/master/v1/master";
import { drive, fromConnect, reportSignedOut } from "../../lib/rpc.ts";
import { randomFraction } from "../../lib/random.ts";
import { after, delay } from "../../lib/time.ts";
import { applyEntry, applyGone, markFresh, unmarkFresh, useDrive } from "./drive-store.ts";
import { entryFromWire } from "./model/entry.ts";
import { takeOwnChange } from "./own-changes.ts";
import { withAllStale, withFeedFrom } from "./model/folder-pages.ts";

const silenceMaxMs = 15_000;
const tintMs = 1200;

/** One message of the feed as tabs hand it on to each other. */
export interface FeedMessage {
  readonly index: number;
  /** The feed starts here: what was read before may have missed something. */
  readonly isStart: boolean;
  readonly isReset: boolean;
  readonly changes: readonly Change[];
}

/** Follows the change feed until the signal aborts: reconnects with back-off, continues where it stopped. */
export async function followFeed(signal: AbortSignal, onMessage: (message: FeedMessage) => void): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const before = useDrive.getState().liveIndex;
    await readFeed(signal, onMessage).catch(onBrokenFeed);
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

async function readFeed(outer: AbortSignal, onMessage: (message: FeedMessage) => void): Promise<void> {
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  outer.addEventListener("abort", abort, { once: true });
  let cancelSilence = after(silenceMaxMs, abort);
  try {
    const fromIndex = useDrive.getState().liveIndex;
    let isFirst = true;
    for await (const message of drive.watch(
      { fromIndex: BigInt(fromIndex) },
      { signal: attempt.signal, timeoutMs: 0 },
    )) {
      cancelSilence();
      cancelSilence = after(silenceMaxMs, abort);
      const index = safeInteger(message.index);
      onMessage({ index, isStart: isFirst && fromIndex === 0, isReset: message.isReset, changes: message.changes });
      isFirst = false;
    }
  } finally {
    cancelSilence();
    outer.removeEventListener("abort", abort);
    attempt.abort();
  }
}

/** Folds a message of the feed into the store. */
export function takeMessage(message: FeedMessage): void {
  if (message.isReset || message.isStart) {
    useDrive.setState((state) => {
      const folders = new Map(state.folders);
      for (const [id, folder] of folders)
        folders.set(
          id,
          message.isReset
            ? withAllStale({ ...folder, changedAtIndex: message.index })
            : withFeedFrom(folder, message.index),
        );
      return { folders, trashTick: state.trashTick + 1 };
    });
  }
  applyChanges(message.changes, message.index);
  useDrive.setState((state) => ({
    connection: "live",
    liveIndex: message.isReset ? message.index : Math.max(message.index, state.liveIndex),
  }));
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
  const fresh = touched.filter((id) => !takeOwnChange(id));
  if (fresh.length === 0 || fresh.length > 100) return;
  markFresh(fresh);
  after(tintMs, () => unmarkFresh(fresh));
}

/** Aborts when the outer one does or when the browser says that it is online again. */
function onlineSignal(outer: AbortSignal): AbortSignal {
  const combined = new AbortController();
  const abort = () => combined.abort();
  outer.addEventListener("abort", abort, { once: true });
  addEventListener("online", abort, { once: true });
  return combined.signal;
}
