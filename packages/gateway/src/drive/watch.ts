import { create } from "@bufbuild/protobuf";
import {
  WatchResponseSchema as DriveWatchResponseSchema,
  type WatchResponse as DriveWatchResponse,
} from "@holdfast/proto/drive/v1/drive";
import { WatchResponseSchema, type Change, type WatchResponse } from "@holdfast/proto/master/v1/master";
import type { Timers } from "@holdfast/runtime";
import type { ChangeFeed } from "./change-feed.ts";
import type { Caller, RequestScope } from "./ports.ts";

/** How often an idle watch shows life. */
export const heartbeatIntervalMs = 5000;

/**
 * The caller's changes after an index (exclusive; 0 = from now), for ever. The first message says where it begins; an
 * empty one comes every 5 s; `isReset` means: read everything anew. Errors: tooBusy, cancelled, unavailable.
 */
export type WatchChanges = (
  caller: Caller,
  fromIndex: bigint,
  scope: RequestScope,
) => AsyncIterable<DriveWatchResponse>;

/** The use-case that follows changes. */
export function createWatchChanges(feed: ChangeFeed, timers: Timers): WatchChanges {
  return async function* watch(caller, fromIndex, scope) {
    const nowIndex = await feed.whenReady(scope.signal);
    const beginIndex = fromIndex === 0n ? nowIndex : fromIndex;
    const mailbox = feed.join(
      fromIndex,
      (message) => message.index > beginIndex && changesFor(caller, message).length > 0,
    );
    const leave = (): void => feed.leave(mailbox);
    // All that the caller may see up to the feed's index was read when the mailbox is empty: a watch that comes back may begin there.
    const beat = timers.every(heartbeatIntervalMs, () => {
      const feedIndex = feed.lastIndex ?? nowIndex;
      if (mailbox.isEmpty)
        mailbox.push(create(WatchResponseSchema, { index: feedIndex > beginIndex ? feedIndex : beginIndex }));
    });
    scope.signal.addEventListener("abort", leave, { once: true });
    try {
      yield create(DriveWatchResponseSchema, { index: beginIndex });
      for await (const message of mailbox) {
        const { index, isReset } = message;
        yield create(DriveWatchResponseSchema, { index, isReset, changes: changesFor(caller, message) });
      }
    } finally {
      beat.cancel();
      scope.signal.removeEventListener("abort", leave);
      leave();
    }
  };
}

/** What of a message the caller may see: changes of entries that are theirs. */
export function changesFor(caller: Pick<Caller, "userId">, message: Pick<WatchResponse, "changes">): Change[] {
  return message.changes.filter(({ change }) => {
    switch (change.case) {
      case "entry":
        return change.value.entry?.ownerId === caller.userId;
      case "entryGone":
        return change.value.ownerId === caller.userId;
      default:
        return false;
    }
  });
}
