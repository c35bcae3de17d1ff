import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronUp, Pause, Play, RotateCcw, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { formatCount, formatDuration, formatItems, formatRate } from "../../lib/format.ts";
import { after } from "../../lib/time.ts";
import type { UploadOffer } from "../../lib/upload-port.ts";
import { IconButton } from "../../ui/button.tsx";
import { ConflictDialog } from "./conflict-dialog.tsx";
import { timeLeftMs } from "./model/rate.ts";
import { inPanelOrder, type UploadSummary } from "./model/upload-summary.ts";
import { changeUploads, takeOffer, uploadQueue, useUploads } from "./upload-engine.ts";
import styles from "./upload-panel.module.css";
import { UploadRow } from "./upload-row.tsx";

interface UploadPanelProps {
  readonly offers: readonly UploadOffer[];
  readonly onTaken: (count: number) => void;
  readonly partSizeBytes: number;
}

const collapseAfterMs = 5000;
const rowPx = 52;

/** Takes offered files and shows how they fare, at the bottom right. Loaded after the first view. */
export function UploadPanel({ offers, onTaken, partSizeBytes }: UploadPanelProps): ReactNode {
  useEffect(() => {
    if (offers.length === 0) return;
    for (const offer of offers) void takeOffer(offer, partSizeBytes);
    onTaken(offers.length);
  }, [offers, onTaken, partSizeBytes]);
  const isEmpty = useUploads((view) => view.summary.total === 0 && view.preparing === undefined);
  return isEmpty ? null : <Panel />;
}

function Panel(): ReactNode {
  const summary = useUploads((view) => view.summary);
  const preparing = useUploads((view) => view.preparing);
  const [isOpen, setOpen] = useState(true);
  const isAllDone = preparing === undefined && summary.done === summary.total;
  useEffect(() => {
    if (!isAllDone) return setOpen(true);
    return after(collapseAfterMs, () => setOpen(false));
  }, [isAllDone]);
  const headline = useHeadline(summary, preparing);
  const close = () => changeUploads((queue) => queue.clearFinished());
  return (
    <section className={styles["panel"]} aria-label="Uploads">
      <header className={styles["head"]}>
        <p className={styles["headline"]} role="status">
          {headline}
        </p>
        {summary.moving > 0 && (
          <IconButton label="Pause all" onClick={() => changeAll("pause")}>
            <Pause size={16} />
          </IconButton>
        )}
        {summary.paused > 0 && summary.moving === 0 && (
          <IconButton label="Resume all" onClick={() => changeAll("resume")}>
            <Play size={16} />
          </IconButton>
        )}
        {summary.failed > 0 && (
          <IconButton label="Try the failed ones again" onClick={() => changeAll("retry")}>
            <RotateCcw size={16} />
          </IconButton>
        )}
        <IconButton
          label={isOpen ? "Make small" : "Show the files"}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? <ChevronDown size={18} /> : <ChevronUp size={18} />}
        </IconButton>
        {isAllDone && (
          <IconButton label="Close" onClick={close}>
            <X size={18} />
          </IconButton>
        )}
      </header>
      {!isAllDone && <TotalBar summary={summary} />}
      {isOpen && <Rows />}
      {summary.asking > 0 && <ConflictDialog />}
    </section>
  );
}

function TotalBar({ summary }: { readonly summary: UploadSummary }): ReactNode {
  const percent = summary.totalBytes === 0 ? 0 : (summary.sentBytes / summary.totalBytes) * 100;
  return (
    <div
      className={styles["total"]}
      role="progressbar"
      aria-label="All uploads"
      aria-valuenow={Math.round(percent)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

/** Only the rows in view exist, so 10,000 files cost no more than ten. */
function Rows(): ReactNode {
  const tick = useUploads((view) => view.tick);
  const ids = useMemo(() => inPanelOrder(uploadQueue().items.values()), [tick]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 4,
    getItemKey: (row) => ids[row] ?? row,
  });
  return (
    <div
      ref={scroller}
      className={styles["rows"]}
      style={{ height: Math.min(6, ids.length) * rowPx }}
      tabIndex={0}
      role="group"
      aria-label="Files being uploaded"
    >
      <ul className={styles["canvas"]} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((row) => {
          const item = uploadQueue().items.get(ids[row.index] ?? 0);
          return item === undefined ? null : <UploadRow key={row.key} item={item} top={row.start} />;
        })}
      </ul>
    </div>
  );
}

function useHeadline(summary: UploadSummary, preparing: number | undefined): string {
  const rate = useUploads((view) => view.rate);
  const needed = summary.failed + summary.asking;
  if (preparing !== undefined && summary.moving === 0) return `Preparing ${formatItems(preparing, "file")}…`;
  if (summary.moving > 0) {
    const left = timeLeftMs(rate, summary.totalBytes - summary.sentBytes);
    const speed = left === undefined ? "" : ` · ${formatRate(rate.bytesPerSecond)} · ${formatDuration(left)} left`;
    return `Uploading ${formatCount(summary.done + 1)} of ${formatCount(summary.total)}${speed}`;
  }
  if (needed > 0) return `${formatItems(summary.done, "file")} uploaded · ${needed} need${needed === 1 ? "s" : ""} you`;
  if (summary.paused > 0) return `Paused · ${formatItems(summary.paused, "file")} left`;
  return `${formatItems(summary.done, "file")} uploaded`;
}

function changeAll(how: "pause" | "resume" | "retry"): void {
  changeUploads((queue) => {
    for (const item of queue.items.values()) {
      if (how === "pause") queue.pause(item.id);
      else if (item.status === (how === "resume" ? "paused" : "failed")) queue.resume(item.id);
    }
  });
}
