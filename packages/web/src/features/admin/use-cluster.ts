import { safeInteger } from "@holdfast/base";
import type { LoggedEvent } from "@holdfast/proto/master/v1/master";
import { useEffect, useRef, useState } from "react";
import { explainFailure, type Failure } from "../../lib/failure.ts";
import { fromConnect, reportSignedOut } from "../../lib/rpc.ts";
import { delay, nowMs } from "../../lib/time.ts";
import { admin } from "./admin-client.ts";
import { clusterFromWire, type Cluster } from "./model/cluster.ts";

const eventsShown = 60;

/** What the admin page knows. */
export interface ClusterView {
  readonly cluster: Cluster | undefined;
  readonly seenAtMs: number;
  readonly failure: Failure | undefined;
}

/** Follows the cluster's state while the page is open; reconnects by itself. */
export function useCluster(): ClusterView {
  const [view, setView] = useState<ClusterView>({
    cluster: undefined,
    seenAtMs: 0,
    failure: undefined,
  });
  useEffect(() => {
    const stopped = new AbortController();
    const onStatus = (cluster: Cluster) => setView({ cluster, seenAtMs: nowMs(), failure: undefined });
    const onFailure = (failure: Failure) => setView((before) => ({ ...before, failure }));
    void follow({ signal: stopped.signal, onStatus, onFailure });
    return () => stopped.abort();
  }, []);
  return view;
}

/** The newest events, read again while the log grows, at most every two seconds. */
export function useEvents(index: number): readonly LoggedEvent[] {
  const [events, setEvents] = useState<readonly LoggedEvent[]>([]);
  const newest = useRef(index);
  newest.current = index;
  useEffect(() => {
    const stopped = new AbortController();
    const follow = async () => {
      for (let readAt = -1; !stopped.signal.aborted; await delay(2000, stopped.signal)) {
        if (newest.current === readAt) continue;
        const wanted = newest.current;
        const answer = await admin
          .listEvents({ limit: eventsShown }, { signal: stopped.signal })
          .catch(() => undefined); // Read again in two seconds.
        if (answer === undefined) continue;
        readAt = wanted;
        setEvents(answer.events);
      }
    };
    void follow();
    return () => stopped.abort();
  }, []);
  return events;
}

/** Log index of an event as a number, for keys. */
export function eventKey(event: LoggedEvent): number {
  return safeInteger(event.index);
}

async function follow(to: {
  readonly signal: AbortSignal;
  readonly onStatus: (cluster: Cluster) => void;
  readonly onFailure: (failure: Failure) => void;
}): Promise<void> {
  while (!to.signal.aborted) {
    try {
      for await (const { status } of admin.watchStatus({}, { signal: to.signal, timeoutMs: 0 }))
        if (status !== undefined) to.onStatus(clusterFromWire(status));
    } catch (thrown) {
      if (to.signal.aborted) return;
      const error = fromConnect(thrown);
      if (error.kind === "unauthenticated") reportSignedOut();
      to.onFailure(explainFailure(error));
      if (error.kind === "denied") return;
    }
    await delay(1000, to.signal);
  }
}
