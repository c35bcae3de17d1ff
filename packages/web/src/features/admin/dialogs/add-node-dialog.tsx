import { useState, type FormEvent, type ReactNode } from "react";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import { admin } from "../admin-client.ts";
import { closeAdminDialog } from "../admin-store.ts";
import type { Cluster } from "../model/cluster.ts";
import type { Fleet } from "../model/fleet.ts";
import styles from "./dialogs.module.css";
import { JoinCommand, LifetimeField, Problem, type IssuedToken } from "./join-command.tsx";
import { useWork } from "./use-work.ts";
import { WhereField } from "./where-field.tsx";

/** A node more: on another machine by a command to copy, or on this one by a button. Waits until it is there. */
export function AddNodeDialog({
  cluster,
  fleet,
  isLocalPossible,
}: {
  readonly cluster: Cluster;
  readonly fleet: Fleet | undefined;
  readonly isLocalPossible: boolean;
}): ReactNode {
  const [isHere, setHere] = useState(false);
  const [issued, setIssued] = useState<IssuedToken>();
  const [started, setStarted] = useState<string>();
  return (
    <Modal
      title="Add a node"
      text="It takes new copies at once; balancing moves some of the old ones to it, at a bounded rate."
      onClose={closeAdminDialog}
      footer={
        <Button onClick={closeAdminDialog}>{issued === undefined && started === undefined ? "Cancel" : "Close"}</Button>
      }
    >
      <div className={styles["form"]}>
        {isLocalPossible && issued === undefined && started === undefined && (
          <WhereField isHere={isHere} onChange={setHere} />
        )}
        {started !== undefined ? (
          <StartedHere name={started} cluster={cluster} />
        ) : issued !== undefined ? (
          <JoinCommand issued={issued} fleet={fleet} />
        ) : isHere ? (
          <StartHere onStarted={setStarted} />
        ) : (
          <MakeToken onIssued={setIssued} />
        )}
      </div>
    </Modal>
  );
}

function MakeToken({ onIssued }: { readonly onIssued: (issued: IssuedToken) => void }): ReactNode {
  const [label, setLabel] = useState("");
  const [lifetimeMs, setLifetimeMs] = useState<number>(3_600_000);
  const { isBusy, problem, run } = useWork();
  const make = (event: FormEvent) => {
    event.preventDefault();
    run(async () => {
      const answer = await admin.createJoinToken({ label: label.trim(), lifetimeMs: BigInt(lifetimeMs) });
      onIssued({ ...answer, expiresAtMs: Number(answer.expiresAtMs) });
    });
  };
  return (
    <form className={styles["form"]} onSubmit={make}>
      <div className={styles["pair"]}>
        <label className={styles["field"]}>
          For whom (may stay empty)
          <input
            className={styles["input"]}
            value={label}
            maxLength={100}
            onChange={(event) => setLabel(event.target.value)}
          />
        </label>
        <LifetimeField lifetimeMs={lifetimeMs} onChange={setLifetimeMs} />
      </div>
      <div>
        <Button look="primary" type="submit" disabled={isBusy}>
          Make a join command
        </Button>
      </div>
      <Problem text={problem} />
    </form>
  );
}

function StartHere({ onStarted }: { readonly onStarted: (name: string) => void }): ReactNode {
  const { isBusy, problem, run } = useWork();
  return (
    <div className={styles["form"]}>
      <p className={styles["muted"]}>
        Its directory is made beside those of the other nodes, on the same disk: good for trying things out, not for
        more safety.
      </p>
      <div>
        <Button
          look="primary"
          disabled={isBusy}
          onClick={() => run(async () => onStarted((await admin.startLocalNode({})).name))}
        >
          {isBusy ? "Starting…" : "Start a node here"}
        </Button>
      </div>
      <Problem text={problem} />
    </div>
  );
}

function StartedHere({ name, cluster }: { readonly name: string; readonly cluster: Cluster }): ReactNode {
  const isLive = cluster.nodes.some((node) => node.name === name && node.liveness === "live");
  return (
    <p className={styles["waiting"]} role="status">
      {isLive ? (
        <span className={styles["ok"]}>● {name} has joined and is live.</span>
      ) : (
        `○ ${name} was started; waiting for it…`
      )}
    </p>
  );
}
