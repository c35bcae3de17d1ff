import { Check, Copy } from "lucide-react";
import { useContext, useState, type FormEvent, type ReactNode } from "react";
import { explainFailure } from "../../../lib/failure.ts";
import { formatDuration } from "../../../lib/format.ts";
import { after, nowMs } from "../../../lib/time.ts";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import { admin } from "../admin-client.ts";
import { closeAdminDialog } from "../admin-store.ts";
import type { Cluster } from "../model/cluster.ts";
import type { Fleet } from "../model/fleet.ts";
import { NodeNames } from "../node-names.ts";
import styles from "./dialogs.module.css";

const lifetimes = [
  [600_000, "10 minutes"],
  [3_600_000, "1 hour"],
  [86_400_000, "1 day"],
  [604_800_000, "7 days"],
] as const;
const copiedShownMs = 2000;

interface Issued {
  readonly joinTokenId: number;
  readonly command: string;
  readonly expiresAtMs: number;
}

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
  const [issued, setIssued] = useState<Issued>();
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
          <fieldset className={styles["group"]}>
            <legend>Where</legend>
            <label className={styles["choice"]}>
              <input type="radio" name="where" checked={!isHere} onChange={() => setHere(false)} />
              <span>
                On another machine <span>by a command that works once</span>
              </span>
            </label>
            <label className={styles["choice"]}>
              <input type="radio" name="where" checked={isHere} onChange={() => setHere(true)} />
              <span>
                On this machine <span>one more process beside the others</span>
              </span>
            </label>
          </fieldset>
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

function MakeToken({ onIssued }: { readonly onIssued: (issued: Issued) => void }): ReactNode {
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
        <label className={styles["field"]}>
          Works for
          <select
            className={styles["input"]}
            value={lifetimeMs}
            onChange={(event) => setLifetimeMs(Number(event.target.value))}
          >
            {lifetimes.map(([durationMs, words]) => (
              <option key={durationMs} value={durationMs}>
                {words}
              </option>
            ))}
          </select>
        </label>
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

function JoinCommand({ issued, fleet }: { readonly issued: Issued; readonly fleet: Fleet | undefined }): ReactNode {
  const [copied, setCopied] = useState("");
  const nameOf = useContext(NodeNames);
  const token = fleet?.joinTokens.find(({ joinTokenId }) => joinTokenId === issued.joinTokenId);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(issued.command);
      setCopied("Copied");
    } catch {
      // Without TLS browsers keep the clipboard closed; the text is selected as a whole by one click.
      setCopied("Click the text and press Ctrl+C");
    }
    after(copiedShownMs, () => setCopied(""));
  };
  const joinedId = token?.usedByNodeId ?? 0;
  return (
    <>
      <p className={styles["muted"]}>
        Type this on the new machine, in a copy of this repository. It works once, and is not shown again.
      </p>
      <code className={styles["command"]} data-testid="join-command" tabIndex={0}>
        {issued.command}
      </code>
      <div className={styles["row"]}>
        <Button onClick={() => void copy()}>
          {copied === "Copied" ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
          Copy the command
        </Button>
        <span className={styles["muted"]} role="status">
          {copied}
        </span>
      </div>
      <p className={styles["waiting"]} role="status">
        {joinedId > 0 ? (
          <span className={styles["ok"]}>● {nameOf(joinedId)} has joined.</span>
        ) : (
          <span>○ Waiting for the node; valid for {formatDuration(Math.max(0, issued.expiresAtMs - nowMs()))}.</span>
        )}
      </p>
    </>
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

function Problem({ text }: { readonly text: string }): ReactNode {
  return text === "" ? null : (
    <p role="alert" className={styles["problem"]}>
      {text}
    </p>
  );
}

function useWork(): {
  readonly isBusy: boolean;
  readonly problem: string;
  readonly run: (work: () => Promise<void>) => void;
} {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem("");
    try {
      await work();
    } catch (thrown) {
      const failure = explainFailure(thrown);
      setProblem([failure.title, failure.advice].filter((part) => part !== "").join(" "));
    }
    setBusy(false);
  };
  return { isBusy, problem, run: (work) => void attempt(work) };
}
