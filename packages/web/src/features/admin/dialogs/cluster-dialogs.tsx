import { useState, type ReactNode } from "react";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import type { FleetOrder, FleetQuestion } from "../admin-client.ts";
import { closeAdminDialog, useAdminDialog, type HousekeepingChange } from "../admin-store.ts";
import type { Cluster } from "../model/cluster.ts";
import styles from "./dialogs.module.css";
import { OrderDialog } from "./order-dialog.tsx";
import { PredictionView } from "./prediction-view.tsx";
import { usePrediction } from "./use-prediction.ts";

const housekeeping: Readonly<
  Record<
    HousekeepingChange,
    {
      readonly title: string;
      readonly text: string;
      readonly verb: string;
      readonly done: string;
      readonly value: Extract<FleetOrder, { case: "setHousekeeping" }>["value"];
    }
  >
> = {
  pauseBalance: {
    title: "Pause balancing",
    text: "Nodes stay as full as they are until you resume it. Repair and drains go on.",
    verb: "Pause balancing",
    done: "Balancing is paused",
    value: { isBalancePaused: true },
  },
  resumeBalance: {
    title: "Resume balancing",
    text: "Copies move again from full nodes to emptier ones.",
    verb: "Resume balancing",
    done: "Balancing goes on",
    value: { isBalancePaused: false },
  },
  pauseRepair: {
    title: "Pause repair",
    text: "Chunks that are short of copies stay so until you resume it. Another failure meanwhile weighs more.",
    verb: "Pause repair",
    done: "Repair is paused",
    value: { isRepairPaused: true },
  },
  resumeRepair: {
    title: "Resume repair",
    text: "Chunks that are short of copies get new ones, the most endangered first.",
    verb: "Resume repair",
    done: "Repair goes on",
    value: { isRepairPaused: false },
  },
  acceptLoss: {
    title: "Repair although many nodes vanished",
    text: "Repair stopped because a large share of the nodes vanished together, which is more often a network fault than a loss. Go on only when you know that they stay away.",
    verb: "Repair anyway",
    done: "Repair goes on",
    value: { isMassLossAccepted: true },
  },
};

/** Pauses and resumes. */
export function HousekeepingDialog({ change }: { readonly change: HousekeepingChange }): ReactNode {
  const { title, text, verb, done, value } = housekeeping[change];
  return <OrderDialog {...{ title, text, verb, done }} order={{ case: "setHousekeeping", value }} />;
}

/** How many copies of every chunk are wanted. */
export function ReplicationDialog({ cluster }: { readonly cluster: Cluster }): ReactNode {
  const [replication, setReplication] = useState(cluster.replication);
  return (
    <OrderDialog
      title="Copies of every chunk"
      text="Old chunks are brought to the same number: missing copies are made, extra ones removed once the others are verified."
      verb={`Keep ${replication} ${replication === 1 ? "copy" : "copies"}`}
      order={{ case: "setReplication", value: { replication } }}
      done={`${replication} ${replication === 1 ? "copy" : "copies"} of every chunk`}
    >
      <label className={styles["field"]}>
        Copies
        <select
          className={styles["input"]}
          value={replication}
          onChange={(event) => setReplication(Number(event.target.value))}
        >
          {[1, 2, 3, 4, 5, 6, 7, 8, 9].map((copies) => (
            <option key={copies} value={copies}>
              {copies}
            </option>
          ))}
        </select>
      </label>
    </OrderDialog>
  );
}

/** What would happen if these nodes, or this zone, died now. Changes nothing. */
export function WhatIfDialog({
  cluster,
  startWith,
}: {
  readonly cluster: Cluster;
  readonly startWith: { readonly nodeIds: readonly number[]; readonly zone: string };
}): ReactNode {
  const [chosen, setChosen] = useState<readonly number[]>(startWith.nodeIds);
  const [zone, setZone] = useState(startWith.zone);
  const zones = [...new Set(cluster.nodes.map((node) => node.zone))].filter((name) => name !== "").sort();
  const nodeIds = cluster.nodes.map((node) => node.nodeId).filter((nodeId) => chosen.includes(nodeId));
  const question: FleetQuestion | undefined =
    zone !== ""
      ? { case: "lostZone", value: zone }
      : nodeIds.length === 0
        ? undefined
        : { case: "lostNodes", value: { nodeIds } };
  const answer = usePrediction(question);
  const toggle = (nodeId: number) =>
    setChosen((before) => (before.includes(nodeId) ? before.filter((one) => one !== nodeId) : [...before, nodeId]));
  return (
    <Modal
      title="What if they died now?"
      text="Computed from where the copies are at this moment. Nothing is changed."
      isWide
      onClose={closeAdminDialog}
      returnTo={useAdminDialog.getState().returnTo}
      footer={<Button onClick={closeAdminDialog}>Close</Button>}
    >
      <div className={styles["form"]}>
        <label className={styles["field"]}>
          What dies
          <select className={styles["input"]} value={zone} onChange={(event) => setZone(event.target.value)}>
            <option value="">The nodes chosen below</option>
            {zones.map((name) => (
              <option key={name} value={name}>
                Everything in zone {name}
              </option>
            ))}
          </select>
        </label>
        {zone === "" && (
          <fieldset className={styles["group"]}>
            <legend>Nodes</legend>
            <div className={styles["row"]}>
              {cluster.nodes.map((node) => (
                <label key={node.nodeId} className={styles["check"]}>
                  <input type="checkbox" checked={chosen.includes(node.nodeId)} onChange={() => toggle(node.nodeId)} />
                  {node.name}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        {question === undefined ? (
          <p className={styles["muted"]}>Choose a node.</p>
        ) : (
          <PredictionView answer={answer} />
        )}
      </div>
    </Modal>
  );
}
