import { isHoldfastError } from "@holdfast/base";
import { useEffect, useState } from "react";
import { delay } from "../../lib/time.ts";
import { admin, fleetQueries } from "./admin-client.ts";
import { fleetFromWire, weaknessesFromWire, type Fleet, type Weakness } from "./model/fleet.ts";
import type { LocalNode } from "./model/local-nodes.ts";
import { samplesFromWire, withSamples, type Sample } from "./model/history.ts";

const fleetMs = 1000;
const historyMs = 2000;
const weakestMs = 10_000;
const localMs = 3000;

/** Tasks, drills, balance and join tokens, once a second; undefined until the first answer. */
export function useFleet(): Fleet | undefined {
  const [fleet, setFleet] = useState<Fleet>();
  useRepeated(async (signal) => setFleet(fleetFromWire(await fleetQueries.getFleet({}, { signal }))), fleetMs);
  return fleet;
}

/** The last minutes as the masters keep them; only what is new is fetched. */
export function useHistory(): readonly Sample[] {
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useRepeated(async (signal, memory) => {
    const fresh = samplesFromWire(await fleetQueries.getHistory({ afterMs: BigInt(memory.afterMs) }, { signal }));
    memory.afterMs = fresh.at(-1)?.atMs ?? memory.afterMs;
    setSamples((kept) => withSamples(kept, fresh));
  }, historyMs);
  return samples;
}

/** Where the cluster would lose most. */
export function useWeakest(): readonly Weakness[] {
  const [points, setPoints] = useState<readonly Weakness[]>([]);
  useRepeated(
    async (signal) => setPoints(weaknessesFromWire(await fleetQueries.getWeakest({}, { signal }))),
    weakestMs,
  );
  return points;
}

/** Chunkservers that can be started and stopped here; undefined when there is no such machine. */
export function useLocalNodes(): readonly LocalNode[] | undefined {
  const [nodes, setNodes] = useState<readonly LocalNode[]>();
  useRepeated(async (signal) => {
    const answer = await admin.listLocalNodes({}, { signal });
    setNodes(answer.isAvailable ? answer.nodes : undefined);
  }, localMs);
  return nodes;
}

/**
 * Runs `look` now and then every `intervalMs`, while the page is open. One that fails is tried again: the status stream
 * beside it already says that the connection is lost. Only who may not look at all stops looking.
 */
function useRepeated(
  look: (signal: AbortSignal, memory: { afterMs: number }) => Promise<void>,
  intervalMs: number,
): void {
  useEffect(() => {
    const stopped = new AbortController();
    const memory = { afterMs: 0 };
    const repeat = async () => {
      for (; !stopped.signal.aborted; await delay(intervalMs, stopped.signal)) {
        try {
          await look(stopped.signal, memory);
        } catch (thrown) {
          if (isHoldfastError(thrown, "denied", "unauthenticated")) return;
        }
      }
    };
    void repeat();
    return () => stopped.abort();
  }, [intervalMs]);
}
