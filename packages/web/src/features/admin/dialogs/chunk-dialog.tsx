import { safeInteger } from "@holdfast/base";
import type { GetChunkLedgerResponse } from "@holdfast/proto/fleet/v1/fleet";
import { useContext, useState, type FormEvent, type ReactNode } from "react";
import { explainFailure } from "../../../lib/failure.ts";
import { formatClock, formatMoment } from "../../../lib/format.ts";
import { Button } from "../../../ui/button.tsx";
import { Modal } from "../../../ui/modal.tsx";
import { fleetQueries } from "../admin-client.ts";
import { closeAdminDialog } from "../admin-store.ts";
import { NodeNames } from "../node-names.ts";
import styles from "./dialogs.module.css";

/** Why copies of a chunk came and went. */
export function ChunkDialog(): ReactNode {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [ledger, setLedger] = useState<GetChunkLedgerResponse>();
  const look = async () => {
    setLedger(undefined);
    if (!/^[1-9]\d{0,14}$/.test(text.trim())) return setProblem("A chunk's id is a number.");
    try {
      setProblem("");
      setLedger(await fleetQueries.getChunkLedger({ chunkId: BigInt(text.trim()) }));
    } catch (thrown) {
      setProblem(explainFailure(thrown).title);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void look();
  };
  return (
    <Modal
      title="History of a chunk"
      text="Why its copies came and went, with who ordered it and what was known then."
      isWide
      onClose={closeAdminDialog}
      footer={<Button onClick={closeAdminDialog}>Close</Button>}
    >
      <form className={styles["form"]} onSubmit={submit}>
        <label className={styles["field"]}>
          Chunk id
          <span className={styles["row"]}>
            <input
              className={styles["input"]}
              style={{ width: 160 }}
              inputMode="numeric"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            <Button type="submit">Look up</Button>
          </span>
        </label>
        {problem !== "" && (
          <p role="alert" className={styles["problem"]}>
            {problem}
          </p>
        )}
        {ledger !== undefined && <Ledger ledger={ledger} />}
      </form>
    </Modal>
  );
}

function Ledger({ ledger }: { readonly ledger: GetChunkLedgerResponse }): ReactNode {
  const nameOf = useContext(NodeNames);
  const named = (nodeIds: readonly number[]) => (nodeIds.length === 0 ? "no node" : nodeIds.map(nameOf).join(", "));
  return (
    <>
      <p className={styles["muted"]}>
        Placed on {named(ledger.placedNodeIds)}. Confirmed on {named(ledger.confirmedNodeIds)}.
      </p>
      <ol className={styles["ledger"]} aria-label="What happened to its copies" tabIndex={0}>
        {ledger.entries.map((entry, position) => (
          <li key={position}>
            <time title={formatMoment(safeInteger(entry.atMs))}>{formatClock(safeInteger(entry.atMs))}</time>
            <span>{entry.kind}</span>
            <span>
              {nameOf(entry.nodeId)}
              {entry.reason === "" ? "" : `: ${entry.reason}`}
              {entry.evidenceNodeIds.length > 0 &&
                ` (confirmed then on ${named(entry.evidenceNodeIds)}; term ${String(entry.term)})`}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
