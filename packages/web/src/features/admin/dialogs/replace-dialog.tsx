import { useState, type ReactNode } from "react";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import { admin, type FleetQuestion } from "../admin-client.ts";
import { closeAdminDialog, useAdminDialog } from "../admin-store.ts";
import type { Cluster, ClusterNode } from "../model/cluster.ts";
import type { Fleet } from "../model/fleet.ts";
import styles from "./dialogs.module.css";
import { JoinCommand, LifetimeField, Problem, type IssuedToken } from "./join-command.tsx";
import { PredictionView } from "./prediction-view.tsx";
import { usePrediction } from "./use-prediction.ts";
import { useWork } from "./use-work.ts";
import { WhereField } from "./where-field.tsx";

interface ReplaceDialogProps {
  readonly node: ClusterNode;
  readonly cluster: Cluster;
  readonly fleet: Fleet | undefined;
  readonly isLocalPossible: boolean;
}

/** A process of this machine that was started to take the node's place. */
interface StartedReplacement {
  readonly name: string;
  readonly joinTokenId: number;
}

/**
 * A new machine, or a new process on this one, in a node's place: what would happen, then the command for it or its start.
 * Nothing changes until it comes.
 */
export function ReplaceDialog({ node, cluster, fleet, isLocalPossible }: ReplaceDialogProps): ReactNode {
  const [isHereWanted, setHere] = useState(false);
  const isHere = isHereWanted && isLocalPossible;
  const [issued, setIssued] = useState<IssuedToken>();
  const [started, setStarted] = useState<StartedReplacement>();
  const [lifetimeMs, setLifetimeMs] = useState<number>(3_600_000);
  const isDone = issued !== undefined || started !== undefined;
  const answer = usePrediction(isDone ? undefined : questionOf(node.nodeId));
  const { isBusy, problem, run } = useWork();
  const isAllowed = answer.isCurrent && answer.prediction?.refusal === "";
  const start = async () => setStarted(await admin.startLocalNode({ replacesNodeId: node.nodeId }));
  const make = async () => {
    const wish = { lifetimeMs: BigInt(lifetimeMs), replacesNodeId: node.nodeId };
    const made = await admin.createJoinToken(wish);
    setIssued({ ...made, expiresAtMs: Number(made.expiresAtMs) });
  };
  return (
    <Modal
      title={`Replace ${node.name}`}
      text="A new node takes its name, its zone and rack, and its copies; the other nodes keep theirs. The old one is removed when nothing depends on it any more, and can never come back. It may be alive or gone."
      isWide
      onClose={closeAdminDialog}
      returnTo={useAdminDialog.getState().returnTo}
      footer={
        isDone ? (
          <Button onClick={closeAdminDialog}>Close</Button>
        ) : (
          <>
            <Button onClick={closeAdminDialog}>Cancel</Button>
            <Button look="primary" disabled={!isAllowed || isBusy} onClick={() => run(isHere ? start : make)}>
              {!isHere ? "Make a join command" : isBusy ? "Starting…" : "Start replacement here"}
            </Button>
          </>
        )
      }
    >
      <div className={styles["form"]}>
        {started !== undefined ? (
          <StartedHere name={node.name} started={started} cluster={cluster} fleet={fleet} />
        ) : issued !== undefined ? (
          <JoinCommand issued={issued} fleet={fleet} />
        ) : (
          <>
            {isLocalPossible && <WhereField isHere={isHere} onChange={setHere} />}
            {isHere ? (
              <p className={styles["muted"]}>
                Its directory is made beside those of the other nodes here, on the same disk, whatever zone it takes
                over: good for trying things out, not for more safety.
              </p>
            ) : (
              <LifetimeField lifetimeMs={lifetimeMs} onChange={setLifetimeMs} />
            )}
            <PredictionView answer={answer} />
          </>
        )}
        <Problem text={problem} />
      </div>
    </Modal>
  );
}

/** Whether the replacement is there, and what becomes of the old one. */
function StartedHere({
  name,
  started,
  cluster,
  fleet,
}: {
  readonly name: string;
  readonly started: StartedReplacement;
  readonly cluster: Cluster;
  readonly fleet: Fleet | undefined;
}): ReactNode {
  const token = fleet?.joinTokens.find(({ joinTokenId }) => joinTokenId === started.joinTokenId);
  const successor = cluster.nodes.find((node) => node.nodeId === token?.usedByNodeId);
  const retired = fleet?.tasks.find((task) => task.replacedByNodeId === successor?.nodeId);
  const retiredName = cluster.nodes.find((node) => node.nodeId === retired?.nodeId)?.name;
  return (
    <>
      <p className={styles["waiting"]} role="status">
        {successor?.liveness === "live" ? (
          <span className={styles["ok"]}>
            ● {successor.name} has joined and is live, as process {started.name} on this machine.
          </span>
        ) : (
          `○ Process ${started.name} was started; waiting for it to join as ${name}…`
        )}
      </p>
      {successor !== undefined && retiredName !== undefined && (
        <p className={styles["muted"]}>
          {retiredName} gives its copies away and is removed by itself; the list of nodes shows how far it is.
        </p>
      )}
    </>
  );
}

const tokenHashBytes = 32;

/** The question needs a token's shape; the token itself is made by the gateway. */
function questionOf(replacesNodeId: number): FleetQuestion {
  const value = { tokenSha256: new Uint8Array(tokenHashBytes), lifetimeMs: 3_600_000n, replacesNodeId };
  return { case: "command", value: { command: { case: "issueJoinToken", value } } };
}
