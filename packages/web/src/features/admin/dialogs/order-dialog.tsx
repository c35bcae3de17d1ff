import { useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { explainFailure } from "../../../lib/failure.ts";
import { randomHex } from "../../../lib/random.ts";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import { showToast } from "../../../ui/toast-store.ts";
import { admin, type FleetOrder, type FleetQuestion } from "../admin-client.ts";
import { closeAdminDialog, useAdminDialog } from "../admin-store.ts";
import styles from "./dialogs.module.css";
import { PredictionView } from "./prediction-view.tsx";
import { usePrediction } from "./use-prediction.ts";

interface OrderDialogProps {
  readonly title: string;
  readonly text: string;
  /** On the button: what it does. */
  readonly verb: string;
  readonly isDangerous?: boolean;
  /** What is ordered, from the fields as they are; undefined while they cannot be. */
  readonly order: FleetOrder | undefined;
  /** What is predicted when it is not the order itself. */
  readonly question?: FleetQuestion;
  /** What is done when it is not the order itself. */
  readonly perform?: () => Promise<unknown>;
  /** Said when it is done. */
  readonly done: string;
  /** Must be typed before the button works. */
  readonly wordToType?: string;
  /** Offered when the order is refused and can be forced. */
  readonly force?: { readonly label: string; readonly isOn: boolean; readonly onChange: (isOn: boolean) => void };
  readonly children?: ReactNode;
}

/** A lever: its fields, what would happen, and only then the button. A refusal is said in words and keeps the button off. */
export function OrderDialog(props: OrderDialogProps): ReactNode {
  const { title, text, verb, order, force, children } = props;
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [typed, setTyped] = useState("");
  const formId = useId();
  const requestId = useRef({ order: "", id: "" });
  const question =
    props.question ??
    (order === undefined ? undefined : { case: "command" as const, value: { command: withoutReason(order) } });
  const answer = usePrediction(question);
  const isAllowed = answer.isCurrent && answer.prediction?.refusal === "";
  const isTyped = props.wordToType === undefined || typed.trim() === props.wordToType;
  const carryOut = async () => {
    setBusy(true);
    setProblem("");
    try {
      if (props.perform !== undefined) await props.perform();
      else if (order !== undefined)
        await admin.changeFleet({ requestId: idFor(requestId.current, order), command: { command: order } });
      closeAdminDialog();
      showToast(props.done);
    } catch (thrown) {
      const failure = explainFailure(thrown);
      setProblem([failure.title, failure.advice].filter((part) => part !== "").join(" "));
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isAllowed && isTyped && !isBusy) void carryOut();
  };
  return (
    <Modal
      title={title}
      text={text}
      isWide
      onClose={closeAdminDialog}
      returnTo={useAdminDialog.getState().returnTo}
      footer={
        <>
          <Button onClick={closeAdminDialog}>Cancel</Button>
          <Button
            look={props.isDangerous === true ? "danger" : "primary"}
            type="submit"
            form={formId}
            disabled={!isAllowed || !isTyped || isBusy}
          >
            {verb}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles["form"]} onSubmit={submit}>
        {children}
        <PredictionView answer={answer} />
        {force !== undefined && (force.isOn || (answer.prediction?.refusal ?? "") !== "") && (
          <label className={styles["check"]}>
            <input type="checkbox" checked={force.isOn} onChange={(event) => force.onChange(event.target.checked)} />
            {force.label}
          </label>
        )}
        {props.wordToType !== undefined && isAllowed && (
          <label className={styles["field"]}>
            Type {props.wordToType} to go on
            <input
              className={styles["input"]}
              value={typed}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => setTyped(event.target.value)}
            />
          </label>
        )}
        {problem !== "" && (
          <p role="alert" className={styles["problem"]}>
            {problem}
          </p>
        )}
      </form>
    </Modal>
  );
}

/** The words of the administrator change nothing of what happens: no need to ask again with every letter. */
function withoutReason(order: FleetOrder): FleetOrder {
  return order.value !== undefined && "reason" in order.value
    ? ({ ...order, value: { ...order.value, reason: "" } } as FleetOrder)
    : order;
}

/** The same id for every try of the same order, so that a lost answer does nothing twice. */
function idFor(memory: { order: string; id: string }, order: FleetOrder): string {
  const text = JSON.stringify(order, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  if (memory.order !== text) Object.assign(memory, { order: text, id: randomHex() });
  return memory.id;
}
