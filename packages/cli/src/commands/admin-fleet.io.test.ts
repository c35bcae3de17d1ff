import { DrillKind } from "@holdfast/proto/fleet/v1/fleet";
import { Intent } from "@holdfast/proto/model/v1/model";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Command } from "../command.ts";
import { exitCodeOf, exitCodes } from "../exit-code.ts";
import { startMemoryEdge, type MemoryEdge } from "../testing/memory-edge.ts";
import { recordedContext, type RecordedContext } from "../testing/recorded-context.ts";
import { adminFaultStop } from "./admin-fault.ts";
import { adminBalance, adminChunk, adminRepair, adminReplication } from "./admin-housekeeping.ts";
import { adminJoinToken } from "./admin-join-token.ts";
import { adminNodeLabel, adminNodeShow, adminNodeStart, adminNodeStop } from "./admin-node.ts";
import {
  adminFaultStart,
  adminNodeDrain,
  adminNodeFail,
  adminNodeMaintenance,
  adminNodeRemove,
  adminNodeUndrain,
} from "./admin-node-order.ts";
import { adminNodeReplace } from "./admin-node-replace.ts";
import { adminHealth, adminStatus } from "./admin-status.ts";
import { adminWeakest, adminWhatIf } from "./admin-what-if.ts";

let edge: MemoryEdge;
beforeEach(async () => {
  edge = await startMemoryEdge();
  vi.stubEnv("HOLDFAST_SERVER", edge.origin);
  vi.stubEnv("HOLDFAST_TOKEN", "t");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await edge.stop();
});

/** Runs a command line; answers the exit code and what was said. */
async function run(
  command: Command,
  words: string,
  options: { readonly answer?: string } = {},
): Promise<RecordedContext & { readonly code: number; readonly refusal: string }> {
  const context = recordedContext(options);
  try {
    await command.run(words === "" ? [] : words.split(" "), context);
    return { ...context, code: exitCodes.ok, refusal: "" };
  } catch (thrown) {
    return { ...context, code: exitCodeOf(thrown), refusal: thrown instanceof Error ? thrown.message : "" };
  }
}

const lossy = { filesLost: 2n, filesLostExamples: ["/a.txt"], chunksByCopiesLeft: [3n, 1n], summary: "Two files." };

describe("orders with consequences", () => {
  test.each<[string, Command, string, string, object]>([
    ["drain", adminNodeDrain, "node-2 --reason disks", "drainNode", { nodeId: 2, reason: "disks" }],
    ["drain by id", adminNodeDrain, "3", "drainNode", { nodeId: 3 }],
    [
      "maintenance",
      adminNodeMaintenance,
      "node-2 --for 30m",
      "startMaintenance",
      { nodeId: 2, durationMs: 1_800_000n },
    ],
    ["fail", adminNodeFail, "node-4 --force", "failNode", { nodeId: 4, isForced: true }],
    ["remove", adminNodeRemove, "node-4", "removeNode", { nodeId: 4, isForced: false }],
    [
      "drill",
      adminFaultStart,
      "node-1 --kind slow --for 60s --delay 50ms",
      "startDrill",
      { kind: DrillKind.SLOW, durationMs: 60_000n, delayMs: 50 },
    ],
    ["replication", adminReplication, "2", "setReplication", { replication: 2 }],
  ])(
    "%s: without a terminal the prediction is shown and the order given",
    async (_name, command, words, kind, value) => {
      const { code, notes, questions } = await run(command, words);
      expect(code).toBe(exitCodes.ok);
      expect(notes[0]).toContain("Nothing would be lost.");
      expect(questions).toEqual([]);
      expect(edge.questions).toMatchObject([{ case: "command", value: { command: { case: kind } } }]);
      expect(edge.orders.map((order) => order.command)).toMatchObject([{ case: kind, value }]);
    },
  );

  test("without a terminal nothing that loses data is done, unless somebody said --yes", async () => {
    edge.prediction = lossy;
    const refused = await run(adminNodeFail, "node-2");
    expect(refused.code).toBe(exitCodes.usage);
    expect(refused.refusal).toContain("--yes");
    expect(refused.notes[0]).toContain("/a.txt");
    expect(edge.orders).toEqual([]);
    expect((await run(adminNodeFail, "node-2 --yes")).code).toBe(exitCodes.ok);
    expect(edge.orders).toHaveLength(1);
  });

  test("on a terminal the question comes after the prediction, and only yes goes on", async () => {
    for (const answer of ["", "n", "nope"]) {
      const { code, questions, notes } = await run(adminNodeDrain, "node-2", { answer });
      expect(code).toBe(exitCodes.other);
      expect(questions).toEqual(["Really drain node-2? [y/N] "]);
      expect(notes).toHaveLength(1);
    }
    expect(edge.orders).toEqual([]);
    expect((await run(adminNodeDrain, "node-2", { answer: "y" })).code).toBe(exitCodes.ok);
    expect((await run(adminNodeDrain, "node-2 -y", { answer: "n" })).questions).toEqual([]);
    expect(edge.orders).toHaveLength(2);
  });

  test("what would be refused is refused before anybody is asked", async () => {
    edge.prediction = { refusal: "Drain it first: 12 copies on it are needed." };
    const { code, refusal, questions } = await run(adminNodeRemove, "node-2 --yes", { answer: "y" });
    expect([code, refusal, questions]).toEqual([exitCodes.conflict, "Drain it first: 12 copies on it are needed.", []]);
    expect(edge.orders).toEqual([]);
  });

  test("a lost answer is asked for again with the same id, so that nothing happens twice", async () => {
    edge.lostAnswerCount = 2;
    expect((await run(adminNodeDrain, "node-2")).code).toBe(exitCodes.ok);
    expect(edge.orders).toHaveLength(1);
    expect(edge.orders[0]?.requestId).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each<[Command, string, number]>([
    [adminNodeDrain, "node-7", exitCodes.notFound],
    [adminNodeDrain, "", exitCodes.usage],
    [adminNodeMaintenance, "node-2", exitCodes.usage],
    [adminFaultStart, "node-2 --kind fire", exitCodes.usage],
    [adminFaultStop, "", exitCodes.usage],
    [adminReplication, "0", exitCodes.usage],
    [adminNodeLabel, "node-2", exitCodes.usage],
    [adminWhatIf, "", exitCodes.usage],
    [adminWhatIf, "explode node-1", exitCodes.usage],
    [adminJoinToken, "revoke", exitCodes.usage],
    [adminJoinToken, "melt", exitCodes.usage],
    [adminChunk, "abc", exitCodes.usage],
    [adminNodeReplace, "", exitCodes.usage],
    [adminNodeReplace, "node-7", exitCodes.notFound],
    [adminNodeReplace, "node-2 --here --ttl 1h", exitCodes.usage],
    [adminNodeStop, "node-9", exitCodes.notFound],
  ])("bad words have their exit code and order nothing", async (command, words, code) => {
    expect((await run(command, words)).code).toBe(code);
    expect(edge.orders).toEqual([]);
  });
});

describe("following", () => {
  test("drain --wait shows progress and ends when the node is drained", async () => {
    const task = { nodeId: 2, kind: "drain", copiesTotal: 10n, bytesLeft: 5n, blockedReasons: ["No room elsewhere."] };
    edge.fleets = [{ tasks: [{ ...task, copiesLeft: 4n }] }, { tasks: [{ ...task, copiesLeft: 0n }] }];
    const intents = [Intent.DRAINING, Intent.DRAINED];
    edge.onGetFleet = () => {
      Object.assign(edge.nodes[1] ?? {}, { intent: intents.shift() ?? Intent.DRAINED });
    };
    Object.assign(edge.nodes[1] ?? {}, { intent: Intent.DRAINING });
    const { code, lines, documents, notes } = await run(adminNodeDrain, "node-2 --wait");
    expect(code).toBe(exitCodes.ok);
    expect(lines.at(-1)).toBe("node-2 is drained and can be removed.");
    expect(notes.some((note) => note.includes("drain 60 %") && note.includes("No room elsewhere."))).toBe(true);
    expect(documents).toContainEqual(expect.objectContaining({ messageType: "status", copiesLeft: 4 }));
    expect(documents.at(-1)).toMatchObject({ messageType: "summary", copiesLeft: 0 });
  });

  test("health is 12 only when it is asked to be strict", async () => {
    expect((await run(adminHealth, "--strict")).code).toBe(exitCodes.ok);
    edge.chunks = { total: 7n, healthy: 6n, under: 1n };
    expect((await run(adminHealth, "")).code).toBe(exitCodes.ok);
    expect((await run(adminHealth, "--strict")).code).toBe(exitCodes.unhealthy);
    expect((await run(adminHealth, "--wait --timeout 1ms")).code).toBe(exitCodes.unhealthy);
  });
});

describe("everything else", () => {
  test("undrain, label, drills and pauses are ordered as typed", async () => {
    await run(adminNodeUndrain, "node-2");
    await run(adminNodeLabel, "node-2 --rack r7");
    await run(adminFaultStop, "node-2");
    await run(adminFaultStop, "--all");
    await run(adminBalance, "pause");
    await run(adminRepair, "accept-loss");
    await run(adminRepair, "resume");
    expect(edge.orders.map((order) => order.command)).toMatchObject([
      { case: "activateNode", value: { nodeId: 2 } },
      { case: "labelNode", value: { nodeId: 2, zone: "default", rack: "r7" } },
      { case: "stopDrill", value: { drillId: 0n, nodeId: 2 } },
      { case: "stopDrill", value: { drillId: 0n, nodeId: 0 } },
      { case: "setHousekeeping", value: { isBalancePaused: true } },
      { case: "setHousekeeping", value: { isMassLossAccepted: true } },
      { case: "setHousekeeping", value: { isRepairPaused: false } },
    ]);
    expect(edge.orders[4]?.command.value).not.toHaveProperty("isRepairPaused");
  });

  test("join tokens: the line to type is all that standard output gets; rotate revokes first", async () => {
    const { lines, documents } = await run(adminJoinToken, "--rotate --ttl 10m");
    expect(lines).toEqual(["npx holdfast node start --join hfj_x --data ./holdfast-node"]);
    expect(documents).toMatchObject([{ joinTokenId: 3, joinToken: "hfj_x", expiresAtMs: 600_000 }]);
    await run(adminJoinToken, "revoke 7");
    expect(edge.orders.map((order) => order.command.value)).toMatchObject([
      { isAll: true },
      { joinTokenId: 7, isAll: false },
    ]);
    edge.fleets = [{ joinTokens: [{ joinTokenId: 7, label: "attic", usedByNodeId: 4, replacesNodeId: 2 }] }];
    expect((await run(adminJoinToken, "ls")).lines[0]).toMatch(/attic.*node-2.*node-4/);
  });

  test("replace shows what would happen, then the line to type; a refusal makes no token", async () => {
    const { lines, notes, documents } = await run(adminNodeReplace, "node-2 --ttl 10m");
    expect(edge.questions).toMatchObject([
      { case: "command", value: { command: { case: "issueJoinToken", value: { replacesNodeId: 2 } } } },
    ]);
    expect(notes[0]).toContain("Nothing would be lost.");
    expect(notes[1]).toContain("Nothing has changed yet. When the new machine joins it is node-2");
    expect(notes[1]).toContain("join-token revoke 5");
    expect(lines).toEqual(["npx holdfast node start --join hfj_x --data ./holdfast-node"]);
    expect(documents).toMatchObject([{ node: "node-2", joinTokenId: 5, joinToken: "hfj_x", expiresAtMs: 600_000 }]);
    edge.prediction = { refusal: "node-2 was replaced already." };
    const refused = await run(adminNodeReplace, "node-2");
    expect([refused.code, refused.lines]).toEqual([exitCodes.conflict, []]);
  });

  test("replace --here starts a node for the place after the same prediction; a refusal starts none", async () => {
    const { lines, notes, documents } = await run(adminNodeReplace, "node-2 --here");
    expect(edge.questions).toMatchObject([
      { case: "command", value: { command: { case: "issueJoinToken", value: { replacesNodeId: 2 } } } },
    ]);
    expect(notes).toEqual([expect.stringContaining("Nothing would be lost.")]);
    expect(lines).toEqual([expect.stringMatching(/^node-5 was started on .* joins it is node-2: the old one gives/)]);
    expect(documents).toMatchObject([{ node: "node-2", nodeId: 2, process: "node-5", joinTokenId: 5 }]);
    edge.prediction = { refusal: "node-2 was replaced already." };
    expect((await run(adminNodeReplace, "node-2 --here")).code).toBe(exitCodes.conflict);
    expect(edge.localNodes).toEqual(["node-5"]);
  });

  test("what if, weakest and the ledger answer in names and change nothing", async () => {
    await run(adminWhatIf, "--nodes node-1,2");
    await run(adminWhatIf, "--zone cellar");
    await run(adminWhatIf, "remove node-3");
    expect(edge.questions).toMatchObject([
      { case: "lostNodes", value: { nodeIds: [1, 2] } },
      { case: "lostZone", value: "cellar" },
      { case: "command", value: { command: { case: "removeNode" } } },
    ]);
    expect((await run(adminWeakest, "")).lines.join("\n")).toContain("node-1 and node-2: 2 files and 4 chunks");
    expect((await run(adminChunk, "12")).documents).toMatchObject([
      { placed: ["node-1", "node-2"], confirmed: ["node-1"], entries: [{ evidence: ["node-1", "node-2"], term: 4 }] },
    ]);
    expect(edge.orders).toEqual([]);
  });

  test("local nodes are started and stopped; stopping shows what it would mean", async () => {
    expect((await run(adminNodeStart, "")).lines).toEqual(["node-5 runs."]);
    const { notes } = await run(adminNodeStop, "node-2");
    expect(notes[0]).toContain("Nothing would be lost.");
    expect(edge.questions).toMatchObject([{ case: "lostNodes", value: { nodeIds: [2] } }]);
    edge.prediction = lossy;
    expect((await run(adminNodeStop, "node-3")).code).toBe(exitCodes.usage);
    expect(edge.localNodes).toEqual(["node-5", "-node-2"]);
    edge.prediction = { summary: "Nothing would be lost." };
    edge.processes = [
      { name: "node-1", nodeId: 9 },
      { name: "node-6", nodeId: 1 },
    ];
    await run(adminNodeStop, "node-1");
    await run(adminNodeStart, "node-1");
    expect(edge.localNodes.slice(2)).toEqual(["-node-6", "node-6"]);
    expect(edge.questions.at(-1)).toMatchObject({ case: "lostNodes", value: { nodeIds: [1] } });
  });

  test("show and status name the task and the drill of a node", async () => {
    const task = { nodeId: 2, kind: "maintenance", endsAtMs: 5_000n, reason: "new fan" };
    edge.fleets = [
      { tasks: [task], drills: [{ drillId: 5n, nodeId: 3, kind: DrillKind.PARTITION, endsAtMs: 9_000n }] },
    ];
    const shown = (await run(adminNodeShow, "2")).lines.join("\n");
    expect(shown).toContain("new fan");
    expect(shown).toMatch(/^node +node-2 \(id 2\)$/m);
    expect(shown).not.toMatch(/^drills/m);
    const status = await run(adminStatus, "");
    expect(status.lines.join("\n")).toMatch(/node-3: drill "partition"/);
    expect(status.documents).toMatchObject([
      { tasks: [{ node: "node-2", kind: "maintenance" }], drills: [{ node: "node-3", kind: "partition" }] },
    ]);
  });
});
