import { useState, type ReactNode } from "react";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import { admin, type FleetQuestion } from "../admin-client.ts";
import { closeAdminDialog, useAdminDialog } from "../admin-store.ts";
import type { ClusterNode } from "../model/cluster.ts";
import type { Fleet } from "../model/fleet.ts";
import styles from "./dialogs.module.css";
import { JoinCommand, LifetimeField, Problem, type IssuedToken } from "./join-command.tsx";
import { PredictionView } from "./prediction-view.tsx";
import { usePrediction } from "./use-prediction.ts";
import { useWork } from "./use-work.ts";

/** A new machine in a node's place: what would happen, then the command for it. Nothing changes until it comes. */
export function ReplaceDialog({
  node,
  fleet,
}: {
  readonly node: ClusterNode;
  readonly fleet: Fleet | undefined;
}): ReactNode {
  const [issued, setIssued] = useState<IssuedToken>();
  const [lifetimeMs, setLifetimeMs] = useState<number>(3_600_000);
  const answer = usePrediction(issued === undefined ? questionOf(node.nodeId) : undefined);
  const { isBusy, problem, run } = useWork();
  const isAllowed = answer.isCurrent && answer.prediction?.refusal === "";
  const make = async () => {
    const wish = { label: `replaces ${node.name}`, lifetimeMs: BigInt(lifetimeMs), replacesNodeId: node.nodeId };
    const made = await admin.createJoinToken(wish);
    setIssued({ ...made, expiresAtMs: Number(made.expiresAtMs) });
  };
  return (
    <Modal
      title={`Replace ${node.name}`}
      text="A new machine takes its name, its zone and rack, and its copies; the other nodes keep theirs. The old one is removed when nothing depends on it any more, and can never come back. It may be alive or gone."
      isWide
      onClose={closeAdminDialog}
      returnTo={useAdminDialog.getState().returnTo}
      footer={
        issued === undefined ? (
          <>
            <Button onClick={closeAdminDialog}>Cancel</Button>
            <Button look="primary" disabled={!isAllowed || isBusy} onClick={() => run(make)}>
              Make a join command
            </Button>
          </>
        ) : (
          <Button onClick={closeAdminDialog}>Close</Button>
        )
      }
    >
      <div className={styles["form"]}>
        {issued === undefined ? (
          <>
            <LifetimeField lifetimeMs={lifetimeMs} onChange={setLifetimeMs} />
            <PredictionView answer={answer} />
          </>
        ) : (
          <JoinCommand issued={issued} fleet={fleet} />
        )}
        <Problem text={problem} />
      </div>
    </Modal>
  );
}

const tokenHashBytes = 32;

/** The question needs a token's shape; the token itself is made by the gateway. */
function questionOf(replacesNodeId: number): FleetQuestion {
  const value = { tokenSha256: new Uint8Array(tokenHashBytes), lifetimeMs: 3_600_000n, replacesNodeId };
  return { case: "command", value: { command: { case: "issueJoinToken", value } } };
}
