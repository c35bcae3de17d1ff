import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  WatchResponseSchema,
  WatchService,
  type WatchRequest,
  type WatchResponse,
} from "@holdfast/proto/master/v1/master";
import { serve, type CallContext, type ServedService } from "@holdfast/rpc";
import type { ChangeFeed, FeedMessage } from "../projections/change-feed.ts";

/** Serves the change feed; any master does. Errors: `invalidArgument`, `tooBusy` (too many watchers). */
export function createWatchService(feed: ChangeFeed, watchersMax = 1024): ServedService {
  let watcherCount = 0;
  return serve(WatchService, {
    async *watch(request: WatchRequest, context: CallContext): AsyncGenerator<WatchResponse, void, undefined> {
      if (request.fromIndex > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw new HoldfastError("invalidArgument", "The index to watch from is not one of this log.");
      }
      if (watcherCount >= watchersMax) {
        throw new HoldfastError(
          "tooBusy",
          `This master has ${watchersMax} watchers already. Watch at another master, or later.`,
        );
      }
      watcherCount += 1;
      try {
        for await (const message of feed.watch(Number(request.fromIndex), context.signal)) yield toWire(message);
      } finally {
        watcherCount -= 1;
      }
    },
  });
}

function toWire(message: FeedMessage): WatchResponse {
  if (message.kind === "reset") {
    return create(WatchResponseSchema, { index: BigInt(message.index), isReset: true, atMs: BigInt(message.atMs) });
  }
  const { index, atMs, changes } = message.item;
  return create(WatchResponseSchema, { index: BigInt(index), atMs: BigInt(atMs), changes: [...changes] });
}
