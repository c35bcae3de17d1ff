import { create } from "@bufbuild/protobuf";
import type { WatchResponse } from "@holdfast/proto/drive/v1/drive";
import { ChangeSchema } from "@holdfast/proto/master/v1/master";
import { describe, expect, test } from "vitest";
import { ada, startSimulatedGateway, type SimulatedGateway } from "../testing/simulated-gateway.ts";
import type { Caller } from "./ports.ts";

const limits = { replayMessagesMax: 4, behindMessagesMax: 3, watchersMax: 2, silenceMsMax: 15_000 };

async function start(): Promise<
  SimulatedGateway & { caller: Caller; addFolder: (name: string) => Promise<bigint>; open: (from?: bigint) => Watching }
> {
  const simulated = startSimulatedGateway({ changeFeed: limits });
  await simulated.world.runFor(1000);
  const { gateway, scope, settle } = simulated;
  const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "", client: "" };
  const { caller } = await settle(gateway.sessions.signIn(attempt, scope()));
  return {
    ...simulated,
    caller,
    addFolder: async (name) =>
      (await settle(gateway.drive.createFolder(caller, { parentId: 0n, name, keepExisting: false }, scope()))).revision,
    open: (from = 0n) => new Watching(simulated, caller, from),
  };
}

/** One open watch, read message by message. */
class Watching {
  readonly gone = new AbortController();
  readonly #messages: AsyncIterator<WatchResponse>;
  readonly #settle: SimulatedGateway["settle"];

  constructor({ gateway, scope, settle }: SimulatedGateway, caller: Caller, from: bigint) {
    this.#messages = gateway.drive.watch(caller, from, scope(this.gone.signal))[Symbol.asyncIterator]();
    this.#settle = settle;
  }

  async next(): Promise<{ index: bigint; isReset: boolean; names: unknown[] } | "end"> {
    const step = await this.#settle(this.#messages.next());
    if (step.done === true) return "end";
    const { index, isReset, changes } = step.value;
    return {
      index,
      isReset,
      names: changes.map(({ change }) => (change.case === "entry" ? change.value.entry?.name : change.case)),
    };
  }
}

describe("watching", () => {
  test("says where it begins, shows life every 5 s, and tells changes", async () => {
    const { open, addFolder, world } = await start();
    const watching = open();
    const begin = await watching.next();
    const startedMs = world.nowMs();
    expect(await watching.next()).toEqual(begin);
    expect(world.nowMs() - startedMs).toBeLessThanOrEqual(5000);
    const index = await addFolder("one");
    expect(await watching.next()).toEqual({ index, isReset: false, names: ["one"] });
    watching.gone.abort();
    expect(await watching.next()).toBe("end");
  });

  test("others' files, sessions and nodes are not told", async () => {
    const { open, addFolder, masters } = await start();
    const watching = open();
    await watching.next();
    masters.tellChange(
      create(ChangeSchema, { change: { case: "entry", value: { entry: { ownerId: 99n, name: "secret" } } } }),
    );
    masters.tellChange(create(ChangeSchema, { change: { case: "entryGone", value: { ownerId: 99n } } }));
    masters.tellChange(create(ChangeSchema, { change: { case: "node", value: {} } }));
    masters.tellChange(create(ChangeSchema, { change: { case: "sessionGone", value: {} } }));
    await addFolder("mine");
    expect(await watching.next()).toMatchObject({ names: ["mine"] });
  });

  test("a watcher that comes back gets what it missed, or is told to read anew", async () => {
    const { open, addFolder } = await start();
    const indexes = [
      await addFolder("a"),
      await addFolder("b"),
      await addFolder("c"),
      await addFolder("d"),
      await addFolder("e"),
      await addFolder("f"),
    ];
    const back = open((indexes[4] ?? 0n) - 1n);
    expect(await back.next()).toMatchObject({ isReset: false, names: [] });
    expect(await back.next()).toMatchObject({ names: ["e"] });
    expect(await back.next()).toMatchObject({ names: ["f"] });
    const late = open(indexes[0] ?? 0n);
    await late.next();
    expect(await late.next()).toEqual({ index: indexes[5], isReset: true, names: [] });
  });

  test("one that does not read is told to read anew, and holds nobody up", async () => {
    const { open, addFolder } = await start();
    const [slow, quick] = [open(), open()];
    await slow.next();
    await quick.next();
    let last = 0n;
    for (const name of ["a", "b", "c", "d", "e"]) {
      last = await addFolder(name);
      expect(await quick.next()).toMatchObject({ names: [name] });
    }
    const missed = [await slow.next(), await slow.next()];
    expect(missed[0]).toMatchObject({ isReset: true });
    expect(missed[1]).toMatchObject({ index: last, names: ["e"] });
  });

  test("too many are refused", async () => {
    const { open } = await start();
    const watching = [open(), open(), open()];
    await watching[0]?.next();
    await watching[1]?.next();
    await expect(watching[2]?.next()).rejects.toMatchObject({ kind: "tooBusy" });
    watching[0]?.gone.abort();
    expect(await watching[0]?.next()).toBe("end");
    await open().next();
  });

  test("nothing is missed over broken and silent subscriptions", async () => {
    const { open, addFolder, masters, world } = await start();
    const watching = open();
    await watching.next();
    masters.breakWatches(new Error("the leader changed"));
    masters.isDown = true;
    await world.runFor(60_000);
    masters.isDown = false;
    await addFolder("after an outage");
    const watch = masters.watch.bind(masters);
    let isDeaf = true;
    masters.watch = async function* (from, signal) {
      if (!isDeaf) return yield* watch(from, signal);
      isDeaf = false;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    };
    masters.breakWatches(new Error("the leader changed"));
    await addFolder("while deaf");
    const seen: unknown[] = [];
    while (seen.length < 2) {
      const message = await watching.next();
      if (message !== "end") seen.push(...message.names);
    }
    expect(seen).toEqual(["after an outage", "while deaf"]);
  });

  test("a gateway that stops ends its watches", async () => {
    const { open, gateway, settle } = await start();
    const watching = open();
    await watching.next();
    await settle(gateway.stop());
    expect(await watching.next()).toBe("end");
  });
});
