import { useContext, type ReactNode } from "react";
import { formatCount } from "../../../lib/format.ts";
import { Button } from "../../../ui/button.tsx";
import { NodeNames } from "../node-names.ts";
import { copiesText, type Prediction } from "../model/prediction.ts";
import styles from "./prediction-view.module.css";
import type { Answer } from "./use-prediction.ts";

const shapes = { ok: "●", warn: "◐", crit: "✕", unknown: "○" } as const;

/** What would happen: one sentence, then the numbers it rests on. Its place is kept while it is computed. */
export function PredictionView({ answer }: { readonly answer: Answer }): ReactNode {
  const { prediction, failure, isCurrent } = answer;
  return (
    <section
      className={`${styles["prediction"]} ${isCurrent ? "" : styles["earlier"]}`}
      aria-label="What would happen"
      aria-busy={!isCurrent}
    >
      <h3>What would happen</h3>
      {failure !== undefined ? (
        <div role="alert">
          <p className={styles["refusal"]}>{failure.title}</p>
          <p className={styles["muted"]}>{failure.advice}</p>
          <Button onClick={answer.askAgain}>Try again</Button>
        </div>
      ) : prediction === undefined ? (
        <p className={styles["muted"]}>Computing…</p>
      ) : (
        <Facts prediction={prediction} />
      )}
    </section>
  );
}

function Facts({ prediction }: { readonly prediction: Prediction }): ReactNode {
  const { tone, summary, refusal, facts, filesLostExamples, chunksByCopies, fills } = prediction;
  const nameOf = useContext(NodeNames);
  return (
    <>
      {refusal !== "" && (
        <p role="alert" className={styles["refusal"]}>
          <span aria-hidden>✕ </span>
          {refusal}
        </p>
      )}
      {summary !== "" && (
        <p className={styles["summary"]}>
          <span aria-hidden className={styles[tone]}>
            {shapes[tone]}{" "}
          </span>
          {summary}
        </p>
      )}
      <CopiesBar chunksByCopies={chunksByCopies} />
      <dl className={styles["facts"]}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {filesLostExamples.length > 0 && (
        <ul className={styles["examples"]} aria-label="Some of these files">
          {filesLostExamples.slice(0, 5).map((path) => (
            <li key={path}>{path}</li>
          ))}
        </ul>
      )}
      {fills.length > 0 && (
        <ul className={styles["fills"]} aria-label="Fill afterwards">
          {fills.map(({ nodeId, share }) => (
            <li key={nodeId}>
              <span>{nameOf(nodeId)}</span>
              <span className={`${styles["meter"]} ${share >= 0.9 ? styles["full"] : ""}`}>
                <span style={{ width: `${Math.min(100, share * 100)}%` }} />
              </span>
              <span>{share > 0 && share < 0.01 ? "< 1" : Math.round(share * 100)} %</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Chunks by live copies left, as one bar; words beside it. */
function CopiesBar({ chunksByCopies }: { readonly chunksByCopies: readonly number[] }): ReactNode {
  const total = chunksByCopies.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  return (
    <div className={styles["copies"]}>
      <div className={styles["bar"]} role="img" aria-label={`Chunks by copies left: ${copiesText(chunksByCopies)}`}>
        {chunksByCopies.map((count, copies) => (
          <span
            key={copies}
            data-copies={Math.min(copies, 3)}
            style={{ flexGrow: count }}
            data-tip={`${formatCount(count)} chunks with ${copies === 0 ? "no copy" : copies === 1 ? "one copy" : `${copies} copies`}`}
            hidden={count === 0}
          />
        ))}
      </div>
      <p className={styles["muted"]}>Chunks by copies left: {copiesText(chunksByCopies)}</p>
    </div>
  );
}
