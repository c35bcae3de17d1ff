import { useSyncExternalStore } from "react";
import { every, nowMs } from "../lib/time.ts";

const stepMs = 20_000;
let current = nowMs();

/** The time, in steps of 20 s, so that "4 min ago" stays true without work. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => current);
}

const listeners = new Set<() => void>();
let stop: (() => void) | undefined;

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    current = nowMs();
    stop = every(stepMs, () => {
      current = nowMs();
      for (const one of listeners) one();
    });
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) stop?.();
  };
}
