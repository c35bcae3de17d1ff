import { create } from "@bufbuild/protobuf";
import { WatchResponseSchema as DriveWatchResponseSchema, type WatchResponse as DriveWatchResponse } from "@holdfast/proto/drive/v1/drive";
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
export type WatchChanges = (caller: Caller, fromIndex: bigint, scope: RequestScope) => AsyncIterable<DriveWatchResponse>;

/** The use-case that follows changes. */
export function createWatchChanges(feed: ChangeFeed, timers: Timers): WatchChanges {
  return async function* watch(caller, fromIndex, scope) {
    const nowIndex = await feed.whenReady(scope.signal);
    const mailbox = feed.join(fromIndex);
    let lastIndex = fromIndex === 0n ? nowIndex : fromIndex;
    const leave = (): void => feed.leave(mailbox);
    const beat = timers.every(heartbeatIntervalMs, () => {
      if (mailbox.isEmpty) mailbox.push(heartbeatMessage);
    });
    scope.signal.addEventListener("abort", leave, { once: true });
    try {
      yield create(DriveWatchResponseSchema, { index: lastIndex });
      for await (const message of mailbox) {
        const isHeartbeat = message === heartbeatMessage;
        if (!isHeartbeat) lastIndex = message.index;
        const changes = changesFor(caller, message);
        if (isHeartbeat || message.isReset || changes.length > 0) {
          yield create(DriveWatchResponseSchema, { index: lastIndex, isReset: message.isReset, changes });
        }
      }
    } finally {
      beat.cancel();
      scope.signal.removeEventListener("abort", leave);
      leave();
    }
  };
}

const heartbeatMessage: WatchResponse = create(WatchResponseSchema);

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
