import { useContext, type ReactNode } from "react";
import { formatCount, formatItems } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { openAdminDialog } from "./admin-store.ts";
import type { Weakness } from "./model/fleet.ts";
import { NodeNames } from "./node-names.ts";
import styles from "./weakest-section.module.css";
import { useWeakest } from "./use-fleet.ts";

/** The node, pair and zone whose loss would hurt most, and the way to ask about any other. */
export function WeakestSection(): ReactNode {
  const points = useWeakest();
  return (
    <section aria-labelledby="weakest">
      <div className={styles["heading"]}>
        <h2 id="weakest">Weakest points</h2>
        <Button onClick={() => openAdminDialog({ kind: "whatIf", nodeIds: [], zone: "" })}>What if…</Button>
      </div>
      <ul className={styles["points"]}>
        {points.map((point) => (
          <Point key={point.title} point={point} />
        ))}
      </ul>
    </section>
  );
}

function Point({ point }: { readonly point: Weakness }): ReactNode {
  const nameOf = useContext(NodeNames);
  const who = point.zone === "" ? point.nodeIds.map(nameOf).join(" and ") : `zone ${point.zone}`;
  const isLossy = point.filesLost + point.chunksLost > 0;
  const price = isLossy
    ? `${formatItems(point.filesLost, "file")} could not be read`
    : point.chunksAtOne > 0
      ? `${formatItems(point.chunksAtOne, "chunk")} would be down to one copy`
      : "nothing becomes unreadable";
  return (
    <li data-weakest={point.title}>
      <span className={styles["muted"]}>{point.title}</span>
      <strong>{who}</strong>
      <span className={isLossy ? styles["crit"] : ""}>
        <span aria-hidden className={isLossy ? "" : styles["ok"]}>
          {isLossy ? "✕ " : "● "}
        </span>
        {price}
      </span>
      {isLossy && (
        <span className={styles["muted"]}>
          {formatCount(point.chunksLost)} chunks with no copy, {formatCount(point.chunksAtOne)} with one
        </span>
      )}
    </li>
  );
}
