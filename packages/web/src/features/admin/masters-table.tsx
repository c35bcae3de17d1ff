import type { ReactNode } from "react";
import { formatCount } from "../../lib/format.ts";
import styles from "./masters-table.module.css";
import type { ClusterMaster } from "./model/cluster.ts";

/** Masters: who leads, and how far each has folded the log. */
export function MastersTable({ masters }: { readonly masters: readonly ClusterMaster[] }): ReactNode {
  const newest = Math.max(0, ...masters.map((master) => master.commitIndex));
  return (
    <div className={styles["frame"]} role="region" aria-label="Masters" tabIndex={0}>
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
