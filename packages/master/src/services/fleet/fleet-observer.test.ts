import { describe, expect, test } from "vitest";
import { presets } from "../../controllers/presets.ts";
import { nodeIntent, type NodeRow } from "../../domain/fleet/tables.ts";
import { TestClock } from "../../testing/test-master.ts";
import { FleetObserver } from "./fleet-observer.ts";
import type { NodeLoad } from "./node-report.ts";

const limits = { suspectAfterMs: 3000, deadAfterMs: 10_000 };
const load: NodeLoad = {
  usedBytes: 1,
  freeBytes: 9,
  capacityBytes: 10,
  chunkCount: 1,
  diskState: "ok",
  activeWriteCount: 0,
  activeReadCount: 0,
};
const claim = { nodeId: 1, name: "node-1", incarnation: "a", address: "host:1", committedAddress: "host:1" };
const row: NodeRow = {
  ...{
    nodeId: 1,
    nodeUuid: "1".repeat(32),
    name: "node-1",
    address: "host:1",
    ip: "",
    mac: "",
    capacityBytes: 10,
    zone: "",
  },
  ...{ intent: nodeIntent.active, isDown: false, downReason: "", changedAtMs: 0, rack: "", joinTokenId: 0 },
};

function observerOf(): { clock: TestClock; observer: FleetObserver; open: (change?: Partial<typeof claim>) => number } {
  const clock = new TestClock();
  const observer = new FleetObserver(clock, { liveness: limits, caution: presets.demo.caution });
  const open = (change: Partial<typeof claim> = {}): number => {
    const opened = observer.openStream({ ...claim, ...change });
    if (!opened.ok) throw new Error(opened.error.message);
    return opened.value;
  };
  return { clock, observer, open };
}

describe("FleetObserver", () => {
  test("reports that arrive out of order or twice change nothing, over streams of the same process too", () => {
    const { observer, open } = observerOf();
    const stream = open();
    expect(observer.accept(1, stream, { sequence: 5, load })).toBe("accepted");
    expect(observer.accept(1, stream, { sequence: 5, load: { ...load, usedBytes: 7 } })).toBe("stale");
    expect(observer.accept(1, stream, { sequence: 4, load: { ...load, usedBytes: 7 } })).toBe("stale");
    const second = open();
    expect(observer.accept(1, second, { sequence: 5, load })).toBe("stale");
    expect(observer.lastReport(1)?.load?.usedBytes).toBe(1);
    expect(observer.accept(1, second, { sequence: 6, load })).toBe("accepted");
    expect(observer.accept(1, open({ incarnation: "b" }), { sequence: 1, load })).toBe("accepted");
  });

  test("a stream that another one replaced is over, and its end does not end the other", () => {
    const { observer, open } = observerOf();
    const first = open();
    const second = open({ incarnation: "b" });
    expect(observer.accept(1, first, { sequence: 9, load })).toBe("superseded");
    observer.closeStream(1, first);
    expect(observer.livenessOf(row)).toBe("live");
    observer.closeStream(1, second);
    expect(observer.livenessOf(row)).toBe("suspect");
  });

  test("a copied identity is refused while the first process talks, and let in when it is silent", () => {
    const { clock, observer, open } = observerOf();
    open();
    const copy = { ...claim, incarnation: "b", address: "host:2" };
    expect(observer.openStream(copy)).toMatchObject({ ok: false, error: { kind: "precondition" } });
    clock.nowMs += 2999;
    expect(observer.openStream(copy).ok).toBe(false);
    clock.nowMs += 1;
    expect(observer.openStream(copy).ok).toBe(true);
  });

  test("decisions see nodes that reported, with their liveness; a new leadership sees nobody", () => {
    const { clock, observer, open } = observerOf();
    const stream = open();
    expect(observer.observedNodes().size).toBe(0);
    observer.accept(1, stream, { sequence: 1, load });
    clock.nowMs += 100;
    expect(observer.observedNodes().get(1)).toEqual({ nodeId: 1, liveness: "live", ...load });
    clock.nowMs += 3000;
    expect(observer.observedNodes().get(1)?.liveness).toBe("suspect");
    observer.restart();
    expect(observer.observedNodes().size).toBe(0);
    expect(observer.livenessOf(row)).toBe("unknown");
  });
});
