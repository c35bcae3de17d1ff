import { describe, expect, it } from "vitest";
import { type FaultKind, faultKinds, type FaultStep, planFaults } from "./fault-plan.ts";

const world = {
  masters: ["master-1", "master-2", "master-3"],
  nodes: ["node-1", "node-2", "node-3", "node-4"],
  gateways: ["gateway-1", "gateway-2"],
  smallDisks: ["node-4"],
  canCut: true,
  without: [] as readonly FaultKind[],
  holdMsMin: 1,
  holdMsMax: 2,
  quietMsMax: 600,
};

function steps(seed: number, count: number, change: Partial<typeof world> = {}): readonly FaultStep[] {
  const plan = planFaults(seed, { ...world, ...change });
  return Array.from({ length: count }, () => plan.next().value);
}

describe("the plan of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(steps(7, 50)).toEqual(steps(7, 50));
    expect(steps(7, 50)).not.toEqual(steps(8, 50));
  });
  it("comes to every kind before any kind comes a third time", () => {
    const kinds = steps(3, 18).flatMap(({ faults }) => faults.map(({ kind }) => kind));
    expect(new Set(kinds)).toEqual(new Set(faultKinds));
  });
  it("leaves out what the machine cannot do", () => {
    const kinds = steps(3, 60, { canCut: false, smallDisks: [] }).flatMap(({ faults }) =>
      faults.map(({ kind }) => kind),
    );
    expect(kinds).not.toContain("cutPair");
    expect(kinds).not.toContain("isolateLeader");
    expect(kinds).not.toContain("fullDisk");
    expect(kinds).toContain("rollingRestart");
    expect(steps(3, 60, { without: ["rollingRestart"] }).flatMap(({ faults }) => faults)).not.toContainEqual(
      expect.objectContaining({ kind: "rollingRestart" }),
    );
  });
  it("never hurts masters twice at once, nor the whole cluster and a part of it", () => {
    for (const { faults } of steps(11, 300).filter((step) => step.faults.length > 1)) {
      const kinds = faults.map(({ kind }) => kind);
      expect(kinds.filter((kind) => /Leader|Master/.test(kind)).length).toBeLessThan(2);
      expect(kinds).not.toContain("rollingRestart");
      expect(kinds).not.toContain("restartEverything");
    }
  });
});
