import { useEffect, useState } from "react";
import { explainFailure, type Failure } from "../../../lib/failure.ts";
import { delay } from "../../../lib/time.ts";
import { fleetQueries, type FleetQuestion } from "../admin-client.ts";
import { predictionFromWire, type Prediction } from "../model/prediction.ts";

const typingMs = 250;

/** Where the answer to a question stands. */
export interface Answer {
  /** The last that was computed; of an earlier form of the question unless `isCurrent`. */
  readonly prediction: Prediction | undefined;
  /** Whether it answers the question as it is now. */
  readonly isCurrent: boolean;
  readonly failure: Failure | undefined;
  readonly askAgain: () => void;
}

/** Asks what would happen, and again a moment after the question changed. Undefined asks nothing. */
export function usePrediction(question: FleetQuestion | undefined): Answer {
  const [tries, setTries] = useState(0);
  const key = question === undefined ? "" : `${tries} ${textOf(question)}`;
  const [answer, setAnswer] = useState<{
    readonly key: string;
    readonly prediction?: Prediction;
    readonly failure?: Failure;
  }>({ key: "" });
  useEffect(() => {
    if (question === undefined) return undefined;
    const stopped = new AbortController();
    const ask = async () => {
      if (answer.key !== "") await delay(typingMs, stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        const wire = await fleetQueries.predict({ question }, { signal: stopped.signal });
        if (!stopped.signal.aborted) setAnswer({ key, prediction: predictionFromWire(wire) });
      } catch (thrown) {
        if (!stopped.signal.aborted) setAnswer({ key, failure: explainFailure(thrown) });
      }
    };
    void ask();
    return () => stopped.abort();
  }, [key]);
  const isCurrent = answer.key === key;
  return {
    prediction: answer.prediction,
    isCurrent,
    failure: isCurrent ? answer.failure : undefined,
    askAgain: () => setTries((count) => count + 1),
  };
}

function textOf(question: FleetQuestion): string {
  return JSON.stringify(question, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}
