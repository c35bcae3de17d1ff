import type { ReactNode } from "react";
import { formatBytes, formatCount, formatDuration } from "../../lib/format.ts";
import styles from "./admin-tables.module.css";
import type { ClusterMaster, ClusterNode } from "./model/cluster.ts";

const shapes: Readonly<Record<ClusterNode["liveness"], string>> = { live: "●", suspect: "◐", dead: "✕", unknown: "○" };

/** Chunkservers: liveness and intent are two things and shown as two; never by colour alone. */
export function NodesTable({ nodes }: { readonly nodes: readonly ClusterNode[] }): ReactNode {
  if (nodes.length === 0) return <p className={styles["empty"]}>No chunkserver has joined yet.</p>;
  return (
    <div className={styles["frame"]}>
      <table className={styles["table"]}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Order</th>
            <th scope="col">Used</th>
            <th scope="col" className={styles["number"]}>
              Chunks
            </th>
            <th scope="col">IP address</th>
            <th scope="col">MAC address</th>
            <th scope="col" className={styles["number"]}>
              Last heartbeat
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.name} data-node={node.name}>
              <th scope="row">{node.name}</th>
              <td>
                <span className={styles[node.liveness]}>
                  <span aria-hidden>{shapes[node.liveness]}</span> {node.liveness}
                </span>
              </td>
              <td className={node.intent === "active" ? styles["muted"] : styles["ordered"]}>{node.intent}</td>
              <td>
                <Used node={node} />
              </td>
              <td className={styles["number"]}>{formatCount(node.chunkCount)}</td>
              <td className={styles["mono"]}>{node.ip}</td>
              <td className={styles["mono"]}>{node.mac}</td>
              <td className={styles["number"]}>
                {node.liveness === "unknown" ? "not yet" : ageText(node.heartbeatAgeMs)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Used({ node }: { readonly node: ClusterNode }): ReactNode {
  const percent = node.capacityBytes === 0 ? 0 : (node.usedBytes / node.capacityBytes) * 100;
  const tone = percent >= 95 ? styles["full"] : percent >= 90 ? styles["nearlyFull"] : "";
  return (
    <span className={styles["used"]} data-tip={`${formatBytes(node.usedBytes)} of ${formatBytes(node.capacityBytes)}`}>
      <span className={`${styles["meter"]} ${tone}`}>
        <span style={{ width: `${Math.max(percent, node.usedBytes > 0 ? 1 : 0)}%` }} />
      </span>
      {percent < 1 && node.usedBytes > 0 ? "< 1" : Math.round(percent)} %
    </span>
  );
}

/** Masters: who leads, and how far each has folded the log. */
export function MastersTable({ masters }: { readonly masters: readonly ClusterMaster[] }): ReactNode {
  const newest = Math.max(0, ...masters.map((master) => master.commitIndex));
  return (
    <div className={styles["frame"]}>
      <table className={styles["table"]}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col" className={styles["number"]}>
              Term
            </th>
            <th scope="col" className={styles["number"]}>
              Applied index
            </th>
            <th scope="col" className={styles["number"]}>
              Commit index
            </th>
            <th scope="col" className={styles["number"]}>
              Behind
            </th>
            <th scope="col">Address</th>
          </tr>
        </thead>
        <tbody>
          {masters.map((master) => (
            <tr key={master.name} data-master={master.name}>
              <th scope="row">{master.name}</th>
              <td>
                <Role role={master.role} />
              </td>
              <td className={styles["number"]}>{master.role === "unreachable" ? "–" : formatCount(master.term)}</td>
              <td className={styles["number"]}>
                {master.role === "unreachable" ? "–" : formatCount(master.appliedIndex)}
              </td>
              <td className={styles["number"]}>
                {master.role === "unreachable" ? "–" : formatCount(master.commitIndex)}
              </td>
              <td className={styles["number"]}>
                {master.role === "unreachable" ? "–" : formatCount(Math.max(0, newest - master.appliedIndex))}
              </td>
              <td className={styles["mono"]}>{master.address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Role({ role }: { readonly role: string }): ReactNode {
  if (role === "leader") return <strong className={styles["leader"]}>★ leader</strong>;
  if (role === "unreachable") {
    return (
      <span className={styles["dead"]}>
        <span aria-hidden>✕</span> unreachable
      </span>
    );
  }
  return role;
}

function ageText(ageMs: number): string {
  return ageMs < 10_000 ? `${(ageMs / 1000).toFixed(1)} s ago` : `${formatDuration(ageMs)} ago`;
}
