import {
  checkLinearizability,
  HistoryRecorder,
  type OpenOperation,
  type PathInput,
  type PathOutput,
  pathsModel,
} from "@holdfast/base/linearizability";
import type { SimWorld } from "@holdfast/runtime/sim";

const stepsMax = 200_000;

/** What all clients did to the names they share, to be explained in the end as if it had happened one by one. */
export class SharedNames {
  readonly #world: SimWorld;
  readonly #recorder = new HistoryRecorder<PathInput, PathOutput>();

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** A client asks for something now. */
  begin(label: string, input: Exclude<PathInput, { kind: "rename" }>): OpenOperation<PathInput> {
    return this.#recorder.begin({ process: label, key: input.path, invokeAt: this.#world.nowMs(), input });
  }

  /** It was answered. */
  end(open: OpenOperation<PathInput>, output: PathOutput): void {
    this.#recorder.end(open, output, this.#world.nowMs());
  }

  /** It surely did not happen. */
  cancel(open: OpenOperation<PathInput>): void {
    this.#recorder.cancel(open);
  }

  /** Why no order explains it, in words; undefined when one does (or it would take too long to say). */
  findViolation(): string | undefined {
    const verdict = checkLinearizability(pathsModel, this.#recorder.history(), { stepsMax });
    return verdict.kind === "notLinearizable" ? `not linearizable: ${verdict.report}` : undefined;
  }
}
