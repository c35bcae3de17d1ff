import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

/** What a process is asked over its channel to the parent. */
export interface ProbeQuestion {
  readonly probe: "restart" | "read" | "profile" | "collect";
  /** Of a profile: where it goes, and how long it lasts. */
  readonly path?: string;
  readonly forMs?: number;
}

/** What it did since it was asked to restart. */
export interface ProbeAnswer {
  /** CPU used by all its threads. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  /** A timer was late by so much, at worst and in one of a hundred cases. */
  readonly stallMsMax: number;
  readonly stallMsP99: number;
  /** The longest pause of the garbage collector, part of the stall. */
  readonly collectionMsMax: number;
}

// Loaded before a shipped `main.ts`, which knows nothing of it (`node --import`). Answers over the channel to the parent.
const resolutionMs = 5;
const delays = monitorEventLoopDelay({ resolution: resolutionMs });
delays.enable();
let collectionMsMax = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) collectionMsMax = Math.max(collectionMsMax, entry.duration);
}).observe({ entryTypes: ["gc"] });
let from = { cpu: process.cpuUsage(), atMs: performance.now() };

process.on("message", (question: ProbeQuestion) => {
  if (question.probe === "restart") {
    delays.reset();
    collectionMsMax = 0;
    from = { cpu: process.cpuUsage(), atMs: performance.now() };
  }
  if (question.probe === "collect") globalThis.gc?.();
  if (question.probe === "read") process.send?.(read());
  if (question.probe === "profile") void profile(question.path ?? "", question.forMs ?? 0);
});
// The process ends by its own rules.
process.channel?.unref();

function read(): ProbeAnswer {
  const { user, system } = process.cpuUsage(from.cpu);
  const memory = process.memoryUsage();
  return {
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - from.atMs,
    heapUsedBytes: memory.heapUsed,
    heapTotalBytes: memory.heapTotal,
    externalBytes: memory.external,
    stallMsMax: Math.max(0, delays.max / 1e6 - resolutionMs),
    stallMsP99: Math.max(0, delays.percentile(99) / 1e6 - resolutionMs),
    collectionMsMax,
  };
}

async function profile(path: string, forMs: number): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  await new Promise((resolve) => setTimeout(resolve, forMs));
  const result = await session.post("Profiler.stop");
  session.disconnect();
  await writeFile(path, JSON.stringify(result.profile));
}
