import { formatBytes } from "@holdfast/base";
import { Check, CircleAlert, Pause, Play, RotateCcw, X } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "../../ui/button.tsx";
import { isFinished, sentBytes, type UploadItem, type UploadStatus } from "./model/upload-item.ts";
import { changeUploads } from "./upload-engine.ts";
import styles from "./upload-panel.module.css";

const words: Readonly<Record<UploadStatus, string>> = {
  waiting: "Waiting",
  uploading: "",
  finishing: "Finishing…",
  retrying: "Trying again soon",
  paused: "Paused",
  asking: "The name is taken",
  failed: "",
  done: "",
  skipped: "Skipped",
  cancelled: "Cancelled",
};

/** One file: name, how far it is, and what can be done. Drawn anew at every tick, as its item changes in place. */
export function UploadRow({ item, top }: { readonly item: UploadItem; readonly top: number }): ReactNode {
  const sent = sentBytes(item);
  const percent = item.sizeBytes === 0 ? 0 : Math.round((sent / item.sizeBytes) * 100);
  const isMoving = item.status === "uploading" || item.status === "finishing" || item.status === "retrying";
  const text =
    item.status === "failed"
      ? item.problem
      : item.status === "done"
        ? formatBytes(item.sizeBytes)
        : item.status === "uploading"
          ? `${formatBytes(sent)} of ${formatBytes(item.sizeBytes)}`
          : words[item.status];
  return (
    <li
      className={styles["row"]}
      style={{ transform: `translateY(${top}px)` }}
      data-status={item.status}
      data-name={item.name}
    >
      <div className={styles["words"]}>
        <p className={styles["name"]} title={item.folderPath === "" ? item.name : `${item.folderPath}/${item.name}`}>
          {item.name}
        </p>
        <p className={item.status === "failed" ? styles["problem"] : styles["fact"]} title={text}>
          {item.folderPath !== "" && item.status !== "failed" && <span>{item.folderPath} · </span>}
          {text}
        </p>
        {(isMoving || item.status === "paused") && (
          <div
            className={styles["bar"]}
            role="progressbar"
            aria-label={`Upload of ${item.name}`}
            aria-valuenow={percent}
            aria-valuemin={0}
            aria-valuemax={100}
          >
            <div style={{ width: `${percent}%` }} />
          </div>
        )}
      </div>
      <RowButtons item={item} />
    </li>
  );
}

function RowButtons({ item }: { readonly item: UploadItem }): ReactNode {
  const { status, name, id } = item;
  return (
    <div className={styles["buttons"]}>
      {status === "done" && <Check size={18} className={styles["done"]} aria-label="Uploaded" role="img" />}
      {status === "failed" && <CircleAlert size={18} className={styles["failed"]} aria-label="Failed" role="img" />}
      {(status === "uploading" || status === "retrying") && (
        <IconButton label={`Pause ${name}`} onClick={() => changeUploads((queue) => queue.pause(id))}>
          <Pause size={16} />
        </IconButton>
      )}
      {status === "paused" && (
        <IconButton label={`Resume ${name}`} onClick={() => changeUploads((queue) => queue.resume(id))}>
          <Play size={16} />
        </IconButton>
      )}
      {status === "failed" && (
        <IconButton label={`Try ${name} again`} onClick={() => changeUploads((queue) => queue.resume(id))}>
          <RotateCcw size={16} />
        </IconButton>
      )}
      {!isFinished(item) && (
        <IconButton label={`Cancel ${name}`} onClick={() => changeUploads((queue) => queue.cancel(id))}>
          <X size={16} />
        </IconButton>
      )}
    </div>
  );
}
