import { useState } from "react";
import { explainFailure } from "../../../lib/failure.ts";

/** Work that a button begins: whether it goes on, and what went wrong. */
export function useWork(): {
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
