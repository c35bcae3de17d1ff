import { formatBytes } from "@holdfast/base";

const countFormat = new Intl.NumberFormat("en", { useGrouping: true });

/** A count with thin groups: "12 480". */
export function formatCount(count: number): string {
  return countFormat.format(count).replaceAll(",", "\u202f");
}

/** "1 file", "3 files": the count and the right form of the noun. */
export function formatItems(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Bytes a second: "12 MB/s". */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** Time left, rounded so that it does not jitter: "4 s", "2 min", "1 h 20 min". */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const yearFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const fullFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** A moment as a list shows it: "just now", "4 min ago", "09:12", "yesterday", "12 Mar", "12 Mar 2024". */
export function formatWhen(atMs: number, nowMs: number): string {
  if (atMs <= 0) return "–";
  const ageMs = nowMs - atMs;
  if (ageMs < 60_000 && ageMs > -60_000) return "just now";
  if (ageMs > 0 && ageMs < 3_600_000) return `${Math.floor(ageMs / 60_000)} min ago`;
  const dayDistance = dayNumber(nowMs) - dayNumber(atMs);
  if (dayDistance === 0) return clockFormat.format(atMs);
  if (dayDistance === 1) return "yesterday";
  const isSameYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear();
  return (isSameYear ? dayFormat : yearFormat).format(atMs);
}

/** A moment in full, for a tooltip or the details panel. */
export function formatMoment(atMs: number): string {
  return atMs <= 0 ? "–" : fullFormat.format(atMs);
}

/** Time of day with seconds, for event lists. */
export function formatClock(atMs: number): string {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(atMs);
}

/** Where the part of a name that a rename usually changes ends: before the last extension; whole for dot files. */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? name.length : dot;
}

/** The extension in lower case without its dot, or "". */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}

function dayNumber(atMs: number): number {
  const date = new Date(atMs);
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}
