import { describe, expect, test } from "vitest";
import { livenessOf, planLiveness, type LivenessFacts, type LivenessView } from "./plan.ts";

const limits = { suspectAfterMs: 3000, deadAfterMs: 10_000 };

function facts(fields: Partial<LivenessFacts>): LivenessFacts {
  return { nodeId: 1, name: "node-1", isDown: false, lastHeartbeatMs: undefined, isStreamOpen: true, ...fields };
}

function view(nowMs: number, nodes: readonly LivenessFacts[], watchingSinceMs = 0): LivenessView {
  return { nowMs, watchingSinceMs, limits, nodes };
}

describe("livenessOf", () => {
  test.each([
    { what: "a heartbeat a moment ago", node: facts({ lastHeartbeatMs: 99_000 }), expected: "live" },
    { what: "silence just below the suspect time", node: facts({ lastHeartbeatMs: 97_001 }), expected: "live" },
    { what: "silence of the suspect time", node: facts({ lastHeartbeatMs: 97_000 }), expected: "suspect" },
    {
      what: "a broken stream at once",
      node: facts({ lastHeartbeatMs: 99_999, isStreamOpen: false }),
      expected: "suspect",
    },
    { what: "silence just below the dead time", node: facts({ lastHeartbeatMs: 90_001 }), expected: "suspect" },
    { what: "silence of the dead time", node: facts({ lastHeartbeatMs: 90_000 }), expected: "dead" },
    { what: "never heard, long watched", node: facts({}), expected: "dead" },
    { what: "down and heard again", node: facts({ isDown: true, lastHeartbeatMs: 99_999 }), expected: "live" },
  ] as const)("$what: $expected", ({ node, expected }) => {
    expect(livenessOf(node, view(100_000, []))).toBe(expected);
  });

  test("a new leader calls nobody dead before a whole grace has passed, except those that were down already", () => {
    const young = view(100_000, [], 90_001);
    expect(livenessOf(facts({}), young)).toBe("unknown");
    expect(livenessOf(facts({ isDown: true }), young)).toBe("dead");
    expect(livenessOf(facts({}), view(100_000, [], 90_000))).toBe("dead");
  });

  test("a leader that was paused itself gives the grace again", () => {
    expect(livenessOf(facts({ lastHeartbeatMs: 50_000 }), view(100_000, [], 99_000))).toBe("suspect");
  });
});

describe("planLiveness", () => {
  test("commits only what differs from the committed state", () => {
    const nodes = [
      facts({ nodeId: 1, lastHeartbeatMs: 99_900 }),
      facts({ nodeId: 2, lastHeartbeatMs: 95_000 }),
      facts({ nodeId: 3, lastHeartbeatMs: 80_000, isStreamOpen: false }),
      facts({ nodeId: 4, lastHeartbeatMs: 80_000, isDown: true }),
      facts({ nodeId: 5, lastHeartbeatMs: 99_500, isDown: true }),
      facts({ nodeId: 6, lastHeartbeatMs: 99_500, isDown: true, isStreamOpen: false }),
      facts({ nodeId: 7 }),
    ];
    expect(planLiveness(view(100_000, nodes))).toEqual({
      down: [
        { nodeId: 3, reason: "no heartbeat for 20 s, limit 10 s; its stream broke" },
        { nodeId: 7, reason: "not heard since this leader began to listen, limit 10 s" },
      ],
      up: [5],
    });
  });
});
