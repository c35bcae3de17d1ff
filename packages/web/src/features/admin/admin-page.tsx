import { formatBytes } from "@holdfast/base";
import { CloudAlert } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from "react";
import type { Failure } from "../../lib/failure.ts";
import { formatCount, formatItems } from "../../lib/format.ts";
import { every, nowMs } from "../../lib/time.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import styles from "./admin-page.module.css";
import { closeAdminDialog, useAdminDialog } from "./admin-store.ts";
import { DataSection } from "./data-section.tsx";
import { EventsSection } from "./events-section.tsx";
import { JoinTokens } from "./join-tokens.tsx";
import { MastersTable } from "./masters-table.tsx";
import type { Cluster } from "./model/cluster.ts";
import { headlineOf } from "./model/headline.ts";
import { NodeNames } from "./node-names.ts";
import { NodesSection } from "./nodes-section.tsx";
import { DrillNotices } from "./notices.tsx";
import { useCluster } from "./use-cluster.ts";
import { useFleet, useLocalNodes } from "./use-fleet.ts";
import { WeakestSection } from "./weakest-section.tsx";

const toneShapes = { ok: "●", warn: "◐", crit: "✕", unknown: "○" } as const;
const Charts = lazy(() => import("./admin-charts.tsx").then((module) => ({ default: module.AdminCharts })));
const Dialogs = lazy(() => import("./dialogs/admin-dialogs.tsx").then((module) => ({ default: module.AdminDialogs })));

/** `/admin`: one sentence about the data, then the parts it rests on, live, and the levers that move them. */
export function AdminPage(): ReactNode {
  const view = useCluster();
  const { cluster } = view;
  return (
    <main className={styles["page"]}>
      <title>Overview · Holdfast admin</title>
      <PageHeader>
        <h1 className={styles["title"]}>Overview</h1>
        <LiveNote seenAtMs={view.seenAtMs} />
      </PageHeader>
      <div className={styles["scroller"]} tabIndex={0} role="region" aria-label="Cluster overview">
        {cluster === undefined ? (
          view.failure !== undefined && <AdminFailure failure={view.failure} />
        ) : (
          <Overview cluster={cluster} />
        )}
      </div>
    </main>
  );
}

function Overview({ cluster }: { readonly cluster: Cluster }): ReactNode {
  const fleet = useFleet();
  const localNodes = useLocalNodes();
  const names = new Map(cluster.nodes.map((node) => [node.nodeId, node.name]));
  // Kept as it is while nothing was renamed: drawing six charts anew with every heartbeat would cost more than all the rest.
  const nodeNames = useMemo(() => names, [[...names].join()]);
  const isDialogOpen = useAdminDialog((state) => state.dialog !== undefined);
  useEffect(() => closeAdminDialog, []);
  return (
    <NodeNames value={(nodeId) => names.get(nodeId) ?? `node ${nodeId}`}>
      <div className={styles["sheet"]}>
        <Headline cluster={cluster} />
        <DrillNotices fleet={fleet} />
        <DataSection cluster={cluster} fleet={fleet} />
        <Capacity cluster={cluster} />
        <NodesSection nodes={cluster.nodes} fleet={fleet} localNodes={localNodes} />
        <JoinTokens tokens={fleet?.joinTokens ?? []} />
        <WeakestSection />
        <section aria-labelledby="masters">
          <h2 id="masters">Masters</h2>
          <MastersTable masters={cluster.masters} />
        </section>
        <section aria-labelledby="minutes">
          <h2 id="minutes">Last minutes</h2>
          <Suspense fallback={<div className={styles["chartsSpace"]} />}>
            <Charts nodeNames={nodeNames} />
          </Suspense>
        </section>
        <EventsSection index={cluster.index} />
      </div>
      <Suspense>
        {isDialogOpen && <Dialogs cluster={cluster} fleet={fleet} isLocalPossible={localNodes !== undefined} />}
      </Suspense>
    </NodeNames>
  );
}

function Headline({ cluster }: { readonly cluster: Cluster }): ReactNode {
  const headline = headlineOf(cluster);
  const { chunks, files } = cluster;
  return (
    <section className={styles["top"]} aria-label="State of the data">
      <p className={styles["headline"]} role="status">
        <span className={styles[headline.tone]} aria-hidden>
          {toneShapes[headline.tone]}{" "}
        </span>
        {headline.text}
      </p>
      <p className={styles["facts"]}>
        {formatItems(files.total, "file")} · {formatBytes(files.bytes)} · {formatItems(chunks.total, "chunk")} · as of
        log index {formatCount(cluster.index)}
      </p>
    </section>
  );
}

function Capacity({ cluster }: { readonly cluster: Cluster }): ReactNode {
  const usedBytes = cluster.nodes.reduce((sum, node) => sum + node.usedBytes, 0);
  const capacityBytes = cluster.nodes.reduce((sum, node) => sum + node.capacityBytes, 0);
  if (capacityBytes === 0) return null;
  const dataBytes = Math.min(cluster.files.bytes, usedBytes);
  const copiesBytes = usedBytes - dataBytes;
  const [fullest] = [...cluster.nodes]
    .filter((node) => node.capacityBytes > 0)
    .sort((left, right) => right.usedBytes / right.capacityBytes - left.usedBytes / left.capacityBytes);
  const percent = (bytes: number) => `${(bytes / capacityBytes) * 100}%`;
  return (
    <section aria-labelledby="capacity">
      <h2 id="capacity">Capacity</h2>
      <div
        className={styles["capacity"]}
        role="img"
        aria-label={`${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)} used`}
      >
        <span
          className={styles["data"]}
          style={{ width: percent(dataBytes) }}
          data-tip={`Files, counted once: ${formatBytes(dataBytes)}`}
        />
        <span
          className={styles["copies"]}
          style={{ width: percent(copiesBytes) }}
          data-tip={`Further copies: ${formatBytes(copiesBytes)}`}
        />
      </div>
      <ul className={styles["legend"]}>
        <li>
          <i className={styles["data"]} /> Files {formatBytes(dataBytes)}
        </li>
        <li>
          <i className={styles["copies"]} /> Further copies {formatBytes(copiesBytes)}
        </li>
        <li>
          <i className={styles["free"]} /> Free {formatBytes(capacityBytes - usedBytes)}
        </li>
        {fullest !== undefined && (
          <li className={styles["fullest"]}>
            Fullest: {fullest.name}, {percentText(fullest.usedBytes / fullest.capacityBytes)}
          </li>
        )}
      </ul>
    </section>
  );
}

/** "34 %", and never "0 %" for a little. */
function percentText(share: number): string {
  return share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(share * 100)} %`;
}

/** How old what is shown is; amber when it is stale. */
function LiveNote({ seenAtMs }: { readonly seenAtMs: number }): ReactNode {
  const [now, setNow] = useState(nowMs());
  useEffect(() => every(200, () => setNow(nowMs())), []);
  if (seenAtMs === 0) return <span className={styles["live"]}>connecting…</span>;
  const ageMs = Math.max(0, now - seenAtMs);
  const isStale = ageMs > 4000;
  return (
    <span className={`${styles["live"]} ${isStale ? styles["stale"] : ""}`} data-testid="live">
      <i aria-hidden /> {isStale ? "stale" : "live"} · {(ageMs / 1000).toFixed(1)} s
    </span>
  );
}

function AdminFailure({ failure }: { readonly failure: Failure }): ReactNode {
  const isDenied = failure.kind === "denied";
  return (
    <div className={styles["failure"]} role="alert">
      <CloudAlert size={40} strokeWidth={1.25} aria-hidden />
      <p>{isDenied ? "Only administrators can see this page" : failure.title}</p>
      <p className={styles["facts"]}>{failure.advice}</p>
    </div>
  );
}
