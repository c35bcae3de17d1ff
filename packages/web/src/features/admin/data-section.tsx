import type { ReactNode } from "react";
import { formatCount, formatDuration, formatItems, formatRate } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { openAdminDialog } from "./admin-store.ts";
import styles from "./data-section.module.css";
import type { Cluster } from "./model/cluster.ts";
import type { Fleet } from "./model/fleet.ts";

const states = [
  ["healthy", "All copies"],
  ["under", "Too few"],
  ["over", "Too many"],
  ["missing", "No readable copy"],
] as const;

/** Chunks by state, and what the cluster does on its own to make all of them whole and all nodes equally full. */
export function DataSection({
  cluster,
  fleet,
}: {
  readonly cluster: Cluster;
  readonly fleet: Fleet | undefined;
}): ReactNode {
  const { chunks } = cluster;
  return (
    <section aria-labelledby="data">
      <h2 id="data">Copies</h2>
      <div
        className={styles["bar"]}
        role="img"
        aria-label={`Chunks: ${states.map(([state, title]) => `${title.toLowerCase()} ${formatCount(chunks[state])}`).join(", ")}`}
      >
        {states.map(([state, title]) => (
          <span
            key={state}
            data-state={state}
            hidden={chunks[state] === 0}
            style={{ flexGrow: chunks[state] }}
            data-tip={`${title}: ${formatItems(chunks[state], "chunk")}`}
          />
        ))}
      </div>
      <ul className={styles["legend"]}>
        {states.map(([state, title]) => (
          <li key={state} data-count={state}>
            <i data-state={state} /> {title} {formatCount(chunks[state])}
          </li>
        ))}
        <li>Damaged copies known {formatCount(chunks.corrupt)}</li>
      </ul>
      <dl className={styles["works"]}>
        <RepairLine cluster={cluster} fleet={fleet} />
        <BalanceLine fleet={fleet} />
        <div>
          <dt>Wanted</dt>
          <dd>
            {cluster.replication} {cluster.replication === 1 ? "copy" : "copies"} of every chunk
          </dd>
          <dd className={styles["buttons"]}>
            <Button onClick={() => openAdminDialog({ kind: "chunk" })}>History of a chunk…</Button>
            <Button onClick={() => openAdminDialog({ kind: "replication" })}>Change copies…</Button>
          </dd>
        </div>
      </dl>
    </section>
  );
}

function RepairLine({ cluster, fleet }: { readonly cluster: Cluster; readonly fleet: Fleet | undefined }): ReactNode {
  const { waitingCount, activeCount, bytesPerSecond, remainingMs, stoppedReason } = cluster.repair;
  const isPaused = fleet?.isRepairPaused === true;
  const isIdle = waitingCount + activeCount === 0;
  const rate = bytesPerSecond === 0 ? "" : ` · ${formatRate(bytesPerSecond)}`;
  const time = remainingMs === 0 ? "" : ` · about ${formatDuration(remainingMs)} left`;
  return (
    <div data-testid="repair">
      <dt>Repair</dt>
      <dd>
        {isPaused && <span className={styles["paused"]}>paused · </span>}
        {isIdle
          ? "nothing to do"
          : `${formatItems(activeCount, "chunk")} being copied, ${formatCount(waitingCount)} waiting${rate}${time}`}
        {stoppedReason !== "" && !isPaused && <span className={styles["stopped"]}>◐ {stoppedReason}</span>}
      </dd>
      <dd className={styles["buttons"]}>
        {stoppedReason !== "" && !isPaused && (
          <Button onClick={() => openAdminDialog({ kind: "housekeeping", change: "acceptLoss" })}>
            Repair anyway…
          </Button>
        )}
        <Button
          disabled={fleet === undefined}
          onClick={() => openAdminDialog({ kind: "housekeeping", change: isPaused ? "resumeRepair" : "pauseRepair" })}
        >
          {isPaused ? "Resume repair…" : "Pause repair…"}
        </Button>
      </dd>
    </div>
  );
}

function BalanceLine({ fleet }: { readonly fleet: Fleet | undefined }): ReactNode {
  const balance = fleet?.balance;
  const isPaused = balance?.isPaused === true;
  return (
    <div data-testid="balance">
      <dt>Balance</dt>
      <dd>
        {isPaused && <span className={styles["paused"]}>paused · </span>}
        {balance === undefined ? "…" : balanceText(balance)}
        {balance !== undefined && balance.stoppedReason !== "" && !isPaused && (
          <span className={styles["stopped"]}>◐ {balance.stoppedReason}</span>
        )}
      </dd>
      <dd className={styles["buttons"]}>
        <Button
          disabled={balance === undefined}
          onClick={() => openAdminDialog({ kind: "housekeeping", change: isPaused ? "resumeBalance" : "pauseBalance" })}
        >
          {isPaused ? "Resume balancing…" : "Pause balancing…"}
        </Button>
      </dd>
    </div>
  );
}

function balanceText(balance: Fleet["balance"]): string {
  const spread = `fullest and emptiest node ${(balance.spread * 100).toFixed(1)} % apart`;
  if (balance.plannedCount + balance.activeCount === 0) return `nothing to move · ${spread}`;
  const rate = balance.bytesPerSecond === 0 ? "" : ` · ${formatRate(balance.bytesPerSecond)}`;
  const time = balance.remainingMs === 0 ? "" : ` · about ${formatDuration(balance.remainingMs)} left`;
  return `${formatCount(balance.activeCount)} copies moving, ${formatCount(balance.plannedCount)} waiting${rate}${time} · ${spread}`;
}
