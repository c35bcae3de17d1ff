import type { ReactNode } from "react";
import type { LoggedEvent } from "@holdfast/proto/master/v1/master";
import { formatClock, formatMoment } from "../../lib/format.ts";
import styles from "./events-section.module.css";
import { eventKey, useEvents } from "./use-cluster.ts";

/** What happened, newest first; what the product did to itself on purpose is marked. */
export function EventsSection({ index }: { readonly index: number }): ReactNode {
  const events = useEvents(index);
  return (
    <section aria-labelledby="events">
      <h2 id="events">Recent events</h2>
      {events.length === 0 ? (
        <p className={styles["none"]}>No events yet.</p>
      ) : (
        <ol className={styles["events"]}>
          {events.map((event, position) => (
            <li key={`${eventKey(event)} ${position}`}>
              <time title={formatMoment(Number(event.atMs))}>{formatClock(Number(event.atMs))}</time>
              <code>{event.type}</code>
              <span>
                {event.summary}
                {isInjected(event) && <span className={styles["injected"]}>injected</span>}
              </span>
              <span className={styles["actor"]}>{event.actor}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** Whether a drill started, ended or caused it. */
function isInjected(event: LoggedEvent): boolean {
  return event.drillId > 0n || event.type === "DrillStarted" || event.type === "DrillEnded";
}
