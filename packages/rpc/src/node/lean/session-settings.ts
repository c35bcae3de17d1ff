import type { Http2Session, Settings } from "node:http2";
import type { Timer, Timers } from "@holdfast/runtime";

/** One stream may have so many bytes under way before its reader takes them. */
export const http2Settings: Settings = {
  initialWindowSize: 4 * 1024 * 1024,
  maxFrameSize: 256 * 1024,
  enablePush: false,
};
/** All streams of a connection together. */
const sessionWindowBytes = 32 * 1024 * 1024;
/** MB that Node lets a session hold before it refuses streams; its default of 10 is less than our windows. */
export const sessionMemoryMb = 512;

const keepaliveIntervalMs = 10_000;
const keepaliveTimeoutMs = 5_000;

/** Raises the connection's window and looks after its pulse: a peer that does not answer a ping in time is given up. */
export function tendSession(session: Http2Session, timers: Timers): void {
  // Its connection may come to stand in the very moment in which it is given up; "connect" is told all the same.
  if (session.destroyed) return;
  session.setLocalWindowSize(sessionWindowBytes);
  let overdue: Timer | undefined;
  const beat = timers.every(keepaliveIntervalMs, () => {
    if (session.closed || session.destroyed || overdue !== undefined) return;
    overdue = timers.after(keepaliveTimeoutMs, () =>
      session.destroy(new Error("the other side does not answer pings")),
    );
    session.ping(() => {
      overdue?.cancel();
      overdue = undefined;
    });
  });
  session.on("close", () => {
    beat.cancel();
    overdue?.cancel();
  });
}
