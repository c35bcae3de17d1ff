import { formatBytes } from "@holdfast/base";
import { Ellipsis, Plus } from "lucide-react";
import { Fragment, type MouseEvent, type ReactNode } from "react";
import { formatCount, formatDuration, formatRate } from "../../lib/format.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { openMenu } from "../../ui/overlay-store.ts";
import { openAdminDialog } from "./admin-store.ts";
import { IdleLocalNodes } from "./local-nodes.tsx";
import styles from "./nodes-section.module.css";
import { nodeActions } from "./node-actions.ts";
import type { ClusterNode } from "./model/cluster.ts";
import type { Fleet } from "./model/fleet.ts";
import { runningProcessOf, type LocalNode } from "./model/local-nodes.ts";
import { TaskLine } from "./task-line.tsx";

const shapes: Readonly<Record<ClusterNode["liveness"], string>> = { live: "●", suspect: "◐", dead: "✕", unknown: "○" };

interface NodesProps {
  readonly nodes: readonly ClusterNode[];
  readonly fleet: Fleet | undefined;
  readonly localNodes: readonly LocalNode[] | undefined;
}

/** Chunkservers: what is observed and what is ordered are two things and shown as two; never by colour alone. */
export function NodesSection({ nodes, fleet, localNodes }: NodesProps): ReactNode {
  return (
    <section aria-labelledby="nodes">
      <div className={styles["heading"]}>
        <h2 id="nodes">Nodes</h2>
        <Button onClick={() => openAdminDialog({ kind: "addNode" })}>
          <Plus size={16} aria-hidden />
          Add a node
        </Button>
      </div>
      {nodes.length === 0 ? (
        <p className={styles["muted"]}>No chunkserver has joined yet.</p>
      ) : (
        <div className={styles["frame"]}>
          <table className={styles["table"]} role="table" aria-labelledby="nodes">
            <thead role="rowgroup">
              <tr role="row">
                {["Name", "State", "Order", "Used", "Chunks", "Place", "Slowest 5 %", "Traffic"].map((title) => (
                  <th key={title} role="columnheader" scope="col">
                    {title}
                  </th>
                ))}
                <th role="columnheader" scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {nodes.map((node) => (
                <NodeRows
                  key={node.nodeId}
                  node={node}
                  task={fleet?.tasks.find((task) => task.nodeId === node.nodeId)}
                  processName={runningProcessOf(localNodes, node.nodeId)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <IdleLocalNodes processes={localNodes} nodes={nodes} />
    </section>
  );
}

interface NodeRowsProps {
  readonly node: ClusterNode;
  readonly task: Fleet["tasks"][number] | undefined;
  /** Of its process on this machine. */
  readonly processName: string | undefined;
}

function NodeRows({ node, task, processName }: NodeRowsProps): ReactNode {
  const choose = (event: MouseEvent<HTMLButtonElement>) =>
    openMenu({
      label: `Actions on ${node.name}`,
      anchor: event.currentTarget,
      align: "end",
      items: nodeActions(node, { processName, isReplaced: (task?.replacedByNodeId ?? 0) > 0 }, event.currentTarget),
    });
  return (
    <Fragment>
      <tr role="row" data-node={node.name} className={task === undefined ? "" : styles["hasTask"]}>
        <th role="rowheader" scope="row">
          {node.name}
          <span className={styles["mono"]}>
            {node.ip} <span>{node.mac}</span>
          </span>
        </th>
        <td role="cell" data-title="State">
          <span>
            <span className={styles[node.liveness]}>
              <span aria-hidden>{shapes[node.liveness]}</span> {node.liveness}
            </span>
            {node.hasDrill && <span className={styles["injected"]}>drill</span>}
          </span>
          <span className={styles["sub"]}>
            {node.liveness === "unknown" ? "not heard yet" : `heard ${ageText(node.heartbeatAgeMs)}`}
          </span>
        </td>
        <td role="cell" data-title="Order">
          <span className={node.intent === "active" ? styles["muted"] : styles["ordered"]}>{node.intent}</span>
          {(node.caution !== "" || isDiskBad(node)) && (
            <span className={styles["caution"]} data-tip={cautionText(node)}>
              ◐ {cautionText(node)}
            </span>
          )}
        </td>
        <td role="cell" data-title="Used">
          <Used node={node} />
          <span className={styles["sub"]}>
            {formatBytes(node.usedBytes)} of {formatBytes(node.capacityBytes)}
          </span>
        </td>
        <td role="cell" data-title="Chunks" className={styles["number"]}>
          {formatCount(node.chunkCount)}
        </td>
        <td role="cell" data-title="Place">
          {node.zone === "" ? <span className={styles["muted"]}>–</span> : node.zone}
          {node.rack !== "" && <span className={styles["sub"]}>rack {node.rack}</span>}
        </td>
        <td role="cell" data-title="Slowest 5 %" className={styles["number"]}>
          <span>{latencyText("write", node.writeP95Ms)}</span>
          <span className={styles["sub"]}>{latencyText("read", node.readP95Ms)}</span>
        </td>
        <td role="cell" data-title="Traffic" className={styles["number"]}>
          <span>in {formatRate(node.writeBytesPerSecond)}</span>
          <span className={styles["sub"]}>out {formatRate(node.readBytesPerSecond)}</span>
        </td>
        <td role="cell" className={styles["actions"]}>
          <IconButton label={`Actions on ${node.name}`} aria-haspopup="menu" onClick={choose}>
            <Ellipsis size={18} />
          </IconButton>
        </td>
      </tr>
      {task !== undefined && (
        <tr role="row" className={styles["task"]} data-task={node.name}>
          <td role="cell" colSpan={9}>
            <TaskLine node={node} task={task} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function Used({ node }: { readonly node: ClusterNode }): ReactNode {
  const percent = node.capacityBytes === 0 ? 0 : (node.usedBytes / node.capacityBytes) * 100;
  const tone = percent >= 95 ? styles["full"] : percent >= 90 ? styles["nearlyFull"] : "";
  return (
    <span className={styles["used"]}>
      <span className={`${styles["meter"]} ${tone}`}>
        <span style={{ width: `${Math.max(percent, node.usedBytes > 0 ? 1 : 0)}%` }} />
      </span>
      {percent < 1 && node.usedBytes > 0 ? "< 1" : Math.round(percent)} %
    </span>
  );
}

function isDiskBad(node: ClusterNode): boolean {
  return node.diskState !== "" && node.diskState !== "ok";
}

function cautionText(node: ClusterNode): string {
  return isDiskBad(node) ? `disk ${node.diskState}` : node.caution;
}

function latencyText(kind: string, latencyMs: number): string {
  return latencyMs === 0 ? `${kind} –` : `${kind} ${latencyMs.toFixed(latencyMs < 10 ? 1 : 0)} ms`;
}

function ageText(ageMs: number): string {
  return ageMs < 10_000 ? `${(ageMs / 1000).toFixed(1)} s ago` : `${formatDuration(ageMs)} ago`;
}
