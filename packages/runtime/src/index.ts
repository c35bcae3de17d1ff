export { keepBallast } from "./ballast/keep-ballast.ts";
export { linkAbort } from "./linked-abort.ts";
export type { LinkedAbort } from "./linked-abort.ts";
export type { Clock } from "./ports/clock.ts";
export type { DirectoryLock, Disk, DiskFile, DiskSpace, DiskStat } from "./ports/disk.ts";
export type { KeyValueChange, KeyValueRange, KeyValueSnapshot, KeyValueStore } from "./ports/key-value-store.ts";
export type { Random } from "./ports/random.ts";
export type { Timer, Timers } from "./ports/timers.ts";
export { RecurringWork } from "./recurring-work.ts";
