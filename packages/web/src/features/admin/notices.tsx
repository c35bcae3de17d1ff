import { useContext, useEffect, useState, type ReactNode } from "react";
import { explainFailure } from "../../lib/failure.ts";
import { randomHex } from "../../lib/random.ts";
import { every, nowMs } from "../../lib/time.ts";
import { Button } from "../../ui/button.tsx";
import { showToast } from "../../ui/toast-store.ts";
import { admin } from "./admin-client.ts";
import { drillKinds, type Fleet, type FleetDrill } from "./model/fleet.ts";
import { NodeNames } from "./node-names.ts";
import styles from "./notices.module.css";

/** What runs on purpose and can be stopped at once: drills, each with its countdown. */
export function DrillNotices({ fleet }: { readonly fleet: Fleet | undefined }): ReactNode {
  const drills = fleet?.drills ?? [];
  if (drills.length === 0) return null;
  return (
    <ul className={styles["notices"]} aria-label="Failure drills that run">
      {drills.map((drill) => (
        <DrillNotice key={String(drill.drillId)} drill={drill} />
      ))}
    </ul>
  );
}

function DrillNotice({ drill }: { readonly drill: FleetDrill }): ReactNode {
  const nameOf = useContext(NodeNames);
  const [now, setNow] = useState(nowMs());
  const [isBusy, setBusy] = useState(false);
  useEffect(() => every(500, () => setNow(nowMs())), []);
  const title = drillKinds.find(({ word }) => word === drill.kind)?.title.toLowerCase() ?? drill.kind;
  const stop = async () => {
    setBusy(true);
    try {
      const command = { command: { case: "stopDrill" as const, value: { drillId: drill.drillId, nodeId: 0 } } };
      await admin.changeFleet({ requestId: randomHex(), command });
    } catch (thrown) {
      const failure = explainFailure(thrown);
      showToast(failure.title, { detail: failure.advice, isError: true });
      setBusy(false);
    }
  };
  return (
    <li>
      <p>
        <span aria-hidden>◐ </span>
        Drill on {nameOf(drill.nodeId)}: {title}. <span className={styles["muted"]}>Ends by itself in </span>
        <span data-testid="countdown" className={styles["countdown"]}>
          {countdown(drill.endsAtMs - now)}
        </span>
      </p>
      <Button disabled={isBusy} onClick={() => void stop()}>
        Stop now
      </Button>
    </li>
  );
}

function countdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
