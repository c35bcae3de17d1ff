import { createSimWorld } from "@holdfast/runtime/sim";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

const turns = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const world = createSimWorld(3);
const { timers } = world.machine("gateway").startProcess();
const never = new AbortController().signal;

test("never holds more than it may, admits in order, and gives all back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ bytes: fc.nat(150), isAborted: fc.boolean() }), { maxLength: 30 }),
      async (wishes) => {
        const budget = new ByteBudget({ heldBytesMax: 100, waitingMax: 100, waitMsMax: 1000 }, timers);
        const admitted: { place: number; release: () => void }[] = [];
        const aborts: AbortController[] = [];
        const all = wishes.map(async ({ bytes, isAborted }, place) => {
          const abort = new AbortController();
          if (isAborted) aborts.push(abort);
          try {
            admitted.push({ place, release: await budget.acquire(bytes, abort.signal) });
          } catch (thrown) {
            expect(thrown).toMatchObject({ kind: "cancelled" });
          }
        });
        await turns();
        for (const abort of aborts) abort.abort();
        let last = -1;
        for (;;) {
          await turns();
          const next = admitted.shift();
          if (next === undefined) break;
          expect(budget.heldBytes).toBeLessThanOrEqual(100);
          expect(next.place).toBeGreaterThan(last);
          last = next.place;
          next.release();
          next.release();
        }
        await Promise.all(all);
        expect(budget.heldBytes).toBe(0);
      },
    ),
  );
});

test("refuses when too many wait", async () => {
  const budget = new ByteBudget({ heldBytesMax: 10, waitingMax: 1, waitMsMax: 1000 }, timers);
  const release = await budget.acquire(10, never);
  const waiting = budget.acquire(1, never);
  await expect(budget.acquire(1, never)).rejects.toMatchObject({ kind: "tooBusy" });
  release();
  (await waiting)();
  await expect(budget.acquire(1, AbortSignal.abort())).rejects.toMatchObject({ kind: "cancelled" });
});

test("who waits too long is told to come again, and the next one has its turn", async () => {
  const budget = new ByteBudget({ heldBytesMax: 10, waitingMax: 9, waitMsMax: 1000 }, timers);
  const release = await budget.acquire(6, never);
  const large = budget.acquire(8, never).catch((thrown: { kind: string }) => thrown.kind);
  await world.runFor(500);
  const small = budget.acquire(4, never);
  expect(budget.tryAcquire(1)).toBeUndefined();
  expect(await world.settle(large, 600)).toBe("tooBusy");
  (await small)();
  release();
  expect(budget.heldBytes).toBe(0);
  const share = budget.tryAcquire(10);
  expect(budget.tryAcquire(1)).toBeUndefined();
  share?.();
});
