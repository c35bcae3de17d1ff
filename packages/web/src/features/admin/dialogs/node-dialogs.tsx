import { useState, type ReactNode } from "react";
import type { FleetOrder } from "../admin-client.ts";
import { admin } from "../admin-client.ts";
import type { ClusterNode } from "../model/cluster.ts";
import { drillKinds } from "../model/fleet.ts";
import styles from "./dialogs.module.css";
import { OrderDialog } from "./order-dialog.tsx";

interface NodeDialogProps {
  readonly node: ClusterNode;
}

const minuteMs = 60_000;
const maintenanceTimes = [
  [15 * minuteMs, "15 minutes"],
  [30 * minuteMs, "30 minutes"],
  [60 * minuteMs, "1 hour"],
  [4 * 60 * minuteMs, "4 hours"],
  [24 * 60 * minuteMs, "24 hours"],
] as const;
const drillTimes = [
  [30_000, "30 seconds"],
  [minuteMs, "1 minute"],
  [5 * minuteMs, "5 minutes"],
  [10 * minuteMs, "10 minutes"],
] as const;
const reasonLengthMax = 200;

/** Moves all copies away. */
export function DrainDialog({ node }: NodeDialogProps): ReactNode {
  const [reason, setReason] = useState("");
  return (
    <OrderDialog
      title={`Drain ${node.name}`}
      text="All its copies move to other nodes, and it takes no new ones. You can cancel at any time."
      verb={`Drain ${node.name}`}
      order={{ case: "drainNode", value: { nodeId: node.nodeId, reason } }}
      done={`${node.name} is draining`}
    >
      <ReasonField reason={reason} onChange={setReason} />
    </OrderDialog>
  );
}

/** Back to work. */
export function ActivateDialog({ node }: NodeDialogProps): ReactNode {
  const [title, verb, text] =
    node.intent === "maintenance"
      ? ["End maintenance of", "End maintenance", "Its copies are watched again."]
      : node.intent === "failed"
        ? ["Take back", "Take back", "It counts again as what it is; its copies count as soon as it reports them."]
        : ["Cancel the drain of", "Cancel drain", "It takes copies again; what was moved away stays where it is."];
  return (
    <OrderDialog
      title={`${title} ${node.name}`}
      text={text}
      verb={verb}
      order={{ case: "activateNode", value: { nodeId: node.nodeId } }}
      done={`${node.name} is active`}
    />
  );
}

/** May be away for a time. */
export function MaintenanceDialog({ node }: NodeDialogProps): ReactNode {
  const [durationMs, setDurationMs] = useState<number>(30 * minuteMs);
  const [reason, setReason] = useState("");
  const [isForced, setForced] = useState(false);
  const value = { nodeId: node.nodeId, durationMs: BigInt(durationMs), reason, isForced };
  return (
    <OrderDialog
      title={`Maintenance of ${node.name}`}
      text="It may be away for this long; nothing is repaired meanwhile."
      verb="Start maintenance"
      order={{ case: "startMaintenance", value }}
      done={`${node.name} is in maintenance`}
      force={{ label: "Do it although some files cannot be read meanwhile", isOn: isForced, onChange: setForced }}
    >
      <TimeField label="For" times={maintenanceTimes} value={durationMs} onChange={setDurationMs} />
      <ReasonField reason={reason} onChange={setReason} />
    </OrderDialog>
  );
}

/** Declared dead. */
export function FailDialog({ node }: NodeDialogProps): ReactNode {
  const [reason, setReason] = useState("");
  const [isForced, setForced] = useState(false);
  return (
    <OrderDialog
      title={`Declare ${node.name} dead`}
      text="Its copies do not count from now on, and repair starts at once. You can take it back."
      verb="Declare dead"
      isDangerous
      order={{ case: "failNode", value: { nodeId: node.nodeId, reason, isForced } }}
      done={`${node.name} counts as dead`}
      force={{ label: "Do it although some files cannot be read", isOn: isForced, onChange: setForced }}
    >
      <ReasonField reason={reason} onChange={setReason} />
    </OrderDialog>
  );
}

/** Out of the cluster, for ever. */
export function RemoveDialog({ node }: NodeDialogProps): ReactNode {
  const [isForced, setForced] = useState(false);
  return (
    <OrderDialog
      title={`Remove ${node.name}`}
      text="It leaves the cluster for ever; its directory can never come back."
      verb="Remove for ever"
      isDangerous
      order={{ case: "removeNode", value: { nodeId: node.nodeId, isForced } }}
      done={`${node.name} is no longer part of the cluster`}
      wordToType={node.name}
      force={{ label: "Do it without draining first", isOn: isForced, onChange: setForced }}
    />
  );
}

/** Where it stands. */
export function LabelDialog({ node }: NodeDialogProps): ReactNode {
  const [zone, setZone] = useState(node.zone);
  const [rack, setRack] = useState(node.rack);
  const order: FleetOrder = { case: "labelNode", value: { nodeId: node.nodeId, zone: zone.trim(), rack: rack.trim() } };
  return (
    <OrderDialog
      title={`Where ${node.name} stands`}
      text="Copies of a chunk are spread over zones first. They move only when they must."
      verb="Save"
      order={order}
      done={`${node.name} stands in zone ${zone.trim()}`}
    >
      <div className={styles["pair"]}>
        <label className={styles["field"]}>
          Zone
          <input
            className={styles["input"]}
            value={zone}
            maxLength={64}
            onChange={(event) => setZone(event.target.value)}
          />
        </label>
        <label className={styles["field"]}>
          Rack
          <input
            className={styles["input"]}
            value={rack}
            maxLength={64}
            onChange={(event) => setRack(event.target.value)}
          />
        </label>
      </div>
    </OrderDialog>
  );
}

/** The product itself makes it fail, for a time. */
export function DrillDialog({ node }: NodeDialogProps): ReactNode {
  const [word, setWord] = useState("stop");
  const [durationMs, setDurationMs] = useState<number>(minuteMs);
  const [delayMs, setDelayMs] = useState(200);
  const drill = drillKinds.find((one) => one.word === word);
  const value = { nodeId: node.nodeId, kind: drill?.kind ?? 0, durationMs: BigInt(durationMs), delayMs };
  return (
    <OrderDialog
      title={`Failure drill on ${node.name}`}
      text="Holdfast makes the node fail on purpose, for a time. What it causes is marked as injected; you can stop it at any moment."
      verb="Start the drill"
      isDangerous
      order={{ case: "startDrill", value }}
      done={`The drill on ${node.name} runs`}
    >
      <fieldset className={styles["group"]}>
        <legend>What fails</legend>
        {drillKinds.map((one) => (
          <label key={one.word} className={styles["choice"]}>
            <input type="radio" name="drill" checked={one.word === word} onChange={() => setWord(one.word)} />
            <span>
              {one.title} <span>{one.text}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div className={styles["pair"]}>
        <TimeField label="For" times={drillTimes} value={durationMs} onChange={setDurationMs} />
        {word === "slow" && (
          <label className={styles["field"]}>
            Added to every operation, ms
            <input
              className={styles["input"]}
              type="number"
              min={1}
              max={10_000}
              value={delayMs}
              onChange={(event) =>
                setDelayMs(Math.max(1, Math.min(10_000, Math.round(event.target.valueAsNumber) || 1)))
              }
            />
          </label>
        )}
      </div>
    </OrderDialog>
  );
}

/** Ends its process on this machine. */
export function StopLocalDialog({ node, processName }: NodeDialogProps & { readonly processName: string }): ReactNode {
  return (
    <OrderDialog
      title={`Stop ${node.name}`}
      text="Its process on this machine ends and stays stopped until you start it again. Its files stay on the disk."
      verb={`Stop ${node.name}`}
      isDangerous
      order={undefined}
      question={{ case: "lostNodes", value: { nodeIds: [node.nodeId] } }}
      perform={() => admin.stopLocalNode({ name: processName })}
      done={`${node.name} is stopped`}
    />
  );
}

function ReasonField({
  reason,
  onChange,
}: {
  readonly reason: string;
  readonly onChange: (reason: string) => void;
}): ReactNode {
  return (
    <label className={styles["field"]}>
      Why (shown to others; may stay empty)
      <input
        className={styles["input"]}
        value={reason}
        maxLength={reasonLengthMax}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function TimeField({
  label,
  times,
  value,
  onChange,
}: {
  readonly label: string;
  readonly times: readonly (readonly [number, string])[];
  readonly value: number;
  readonly onChange: (durationMs: number) => void;
}): ReactNode {
  return (
    <label className={styles["field"]}>
      {label}
      <select className={styles["input"]} value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {times.map(([durationMs, words]) => (
          <option key={durationMs} value={durationMs}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
