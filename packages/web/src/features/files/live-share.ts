import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WatchResponseSchema, type WatchResponse } from "@holdfast/proto/drive/v1/drive";
import { every } from "../../lib/time.ts";
import { useDrive, type Connection } from "./drive-store.ts";
import { followFeed, takeMessage, type FeedMessage } from "./live.ts";

/** What tabs say to each other. `hello` asks the one that follows the feed where it stands. */
type TabMessage =
  | { readonly kind: "hello" }
  | { readonly kind: "state"; readonly connection: Connection; readonly index: number }
  | { readonly kind: "feed"; readonly bytes: Uint8Array; readonly isStart: boolean };

const stateEveryMs = 2000;

/**
 * Follows the change feed once for all tabs of the browser: a browser opens six connections to a host over HTTP/1.1, and a stream in every
 * tab would starve uploads. The tab that holds the lock reads the feed and tells the others; when it closes, the next one goes on from the
 * index it has reached, so nothing is missed. Without locks (plain HTTP from another machine) every tab reads for itself.
 */
export function followChanges(account: string): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") {
    void followFeed(signal, takeMessage);
    return () => stopped.abort();
  }
  const name = `holdfast.feed.${account}`;
  const channel = new BroadcastChannel(name);
  const tell = (message: TabMessage) => {
    if (!signal.aborted) channel.postMessage(message);
  };
  let isLeader = false;
  let hasHeard = false;
  const tellState = () =>
    tell({ kind: "state", connection: useDrive.getState().connection, index: useDrive.getState().liveIndex });
  channel.onmessage = (event: MessageEvent<TabMessage>) => {
    if (event.data.kind === "hello" && isLeader) tellState();
    else if (!isLeader && event.data.kind !== "hello") {
      hear(event.data, !hasHeard);
      hasHeard = true;
    }
  };
  tell({ kind: "hello" });
  const lead = async () => {
    isLeader = true;
    const stopTelling = every(stateEveryMs, tellState);
    const stopConnection = useDrive.subscribe((state, before) => {
      if (state.connection !== before.connection) tellState();
    });
    await followFeed(signal, (message) => {
      takeMessage(message);
      tell({ kind: "feed", bytes: toBytes(message), isStart: message.isStart });
    });
    stopTelling();
    stopConnection();
  };
  navigator.locks.request(name, { signal }, lead).catch(() => undefined); // Aborted when this tab leaves.
  signal.addEventListener("abort", () => channel.close(), { once: true });
  return () => stopped.abort();
}

/** A tab that does not read the feed itself takes what the other one says. What it had read before the first word may be old. */
function hear(message: Exclude<TabMessage, { kind: "hello" }>, isFirst: boolean): void {
  if (message.kind === "feed") {
    const { index, isReset, changes } = fromBinary(WatchResponseSchema, message.bytes);
    takeMessage({ index: Number(index), isReset, changes, isStart: message.isStart || isFirst });
  } else {
    if (isFirst) takeMessage({ index: message.index, isReset: false, isStart: true, changes: [] });
    useDrive.setState({ connection: message.connection });
  }
}

function toBytes(message: FeedMessage): Uint8Array {
  const wire: WatchResponse = create(WatchResponseSchema, {
    index: BigInt(message.index),
    isReset: message.isReset,
    changes: [...message.changes],
  });
  return toBinary(WatchResponseSchema, wire);
}
