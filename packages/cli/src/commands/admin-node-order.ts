import { order, requireConsent, type FleetOrder } from "../admin/carry-out.ts";
import { waitForDrain } from "../admin/drain-wait.ts";
import { findNode } from "../admin/find-node.ts";
import { predictionDocument } from "../admin/prediction.ts";
import { readStatus } from "../admin/status-view.ts";
import { parseDurationMs, parseWords, type OptionRule, type Parsed } from "../arguments.ts";
import type { Command, CommandContext } from "../command.ts";
import { drillKinds } from "../admin/words.ts";
import type { DrillKind } from "@holdfast/proto/fleet/v1/fleet";
import { UsageError } from "../exit-code.ts";
import { openSession, type Session } from "../session.ts";

/** A command that orders something of one node after its predicted effect was shown. */
interface NodeOrder {
  readonly usage: string;
  readonly summary: string;
  readonly verb: string;
  readonly rules: Readonly<Record<string, OptionRule>>;
  readonly commandFor: (nodeId: number, parsed: Parsed) => FleetOrder;
  readonly done: (name: string) => string;
  readonly afterwards?: (
    session: Session,
    node: { readonly nodeId: number; readonly name: string },
    rest: {
      readonly parsed: Parsed;
      readonly context: CommandContext;
    },
  ) => Promise<void>;
}

function nodeOrder(shape: NodeOrder): Command {
  return {
    usage: shape.usage,
    summary: shape.summary,
    async run(words, context) {
      const rules = { yes: { type: "boolean", short: "y" }, ...shape.rules } as const;
      const parsed = parseWords(words, rules, { min: 1, max: 1, usage: shape.usage });
      const session = await openSession();
      const status = await readStatus(session);
      const node = findNode(status, parsed.positionals[0] ?? "");
      const command = shape.commandFor(node.nodeId, parsed);
      const question = { case: "command", value: { command } } as const;
      const consent = { question, deed: `${shape.verb} ${node.name}`, isYes: parsed.flag("yes") };
      const prediction = await requireConsent(session, consent, { context, status });
      const { index, outcome } = await order(session, command, context);
      context.output.document({
        node: node.name,
        nodeId: node.nodeId,
        order: command.case,
        index,
        drillId: command.case === "startDrill" ? outcome?.drillId : undefined,
        prediction: predictionDocument(prediction, status),
      });
      context.output.line(shape.done(node.name));
      await shape.afterwards?.(session, node, { parsed, context });
    },
  };
}

const reasonRule = { reason: { type: "string" } } as const;
const forceRule = { force: { type: "boolean" } } as const;
const reasonOf = (parsed: Parsed): string => parsed.text("reason") ?? "";

/** Moves all copies of a node away. */
export const adminNodeDrain: Command = nodeOrder({
  usage: "admin node drain NODE [--reason TEXT] [--wait] [--timeout 1h] [--yes]",
  summary: "move all its copies away, so that it can be removed",
  verb: "drain",
  rules: { ...reasonRule, wait: { type: "boolean" }, timeout: { type: "string" } },
  commandFor: (nodeId, parsed) => ({ case: "drainNode", value: { nodeId, reason: reasonOf(parsed) } }),
  done: (name) => `${name} is draining. Follow it with: holdfast admin node show ${name}`,
  async afterwards(session, node, { parsed, context }) {
    if (!parsed.flag("wait")) return;
    const timeoutMs = parseDurationMs(parsed.text("timeout") ?? "1h");
    await waitForDrain(session, node, { context, timeoutMs });
    context.output.line(`${node.name} is drained and can be removed.`);
  },
});

/** Lets a node be away for a time. */
export const adminNodeMaintenance: Command = nodeOrder({
  usage: "admin node maintenance NODE --for 30m [--reason TEXT] [--force] [--yes]",
  summary: "it may be away for that long; nothing is repaired meanwhile",
  verb: "allow the absence of",
  rules: { ...reasonRule, ...forceRule, for: { type: "string" } },
  commandFor: (nodeId, parsed) => ({
    case: "startMaintenance",
    value: {
      nodeId,
      durationMs: BigInt(Math.round(requiredDurationMs(parsed, adminNodeMaintenance.usage))),
      reason: reasonOf(parsed),
      isForced: parsed.flag("force"),
    },
  }),
  done: (name) => `${name} is in maintenance. End it early with: holdfast admin node undrain ${name}`,
});

/** Declares a node dead. */
export const adminNodeFail: Command = nodeOrder({
  usage: "admin node fail NODE [--reason TEXT] [--force] [--yes]",
  summary: "declare it dead: repair starts at once",
  verb: "declare dead",
  rules: { ...reasonRule, ...forceRule },
  commandFor: (nodeId, parsed) => ({
    case: "failNode",
    value: { nodeId, reason: reasonOf(parsed), isForced: parsed.flag("force") },
  }),
  done: (name) => `${name} counts as dead. Take it back with: holdfast admin node undrain ${name}`,
});

/** Takes a node out of the cluster for ever. */
export const adminNodeRemove: Command = nodeOrder({
  usage: "admin node remove NODE [--force] [--yes]",
  summary: "it leaves the cluster for ever (drain it first)",
  verb: "remove for ever",
  rules: forceRule,
  commandFor: (nodeId, parsed) => ({ case: "removeNode", value: { nodeId, isForced: parsed.flag("force") } }),
  done: (name) => `${name} is no longer part of the cluster. Its directory cannot come back.`,
});

export const adminNodeUndrain: Command = {
  usage: "admin node undrain NODE",
  summary: "back to work: ends a drain, maintenance or a declared failure",
  async run(words, context) {
    const parsed = parseWords(words, {}, { min: 1, max: 1, usage: adminNodeUndrain.usage });
    const session = await openSession();
    const node = findNode(await readStatus(session), parsed.positionals[0] ?? "");
    const command: FleetOrder = { case: "activateNode", value: { nodeId: node.nodeId } };
    const { index } = await order(session, command, context);
    context.output.document({ node: node.name, nodeId: node.nodeId, order: command.case, index });
    context.output.line(`${node.name} is active.`);
  },
};

/** Makes a node fail on purpose, for a time. */
export const adminFaultStart: Command = nodeOrder({
  usage: "admin fault start NODE --kind stop|partition|slow|corrupt [--for 60s] [--delay 200ms] [--yes]",
  summary: "a failure drill: the product makes a node fail, for a time",
  verb: "let fail",
  rules: { kind: { type: "string" }, for: { type: "string" }, delay: { type: "string" } },
  commandFor: (nodeId, parsed) => ({
    case: "startDrill",
    value: {
      nodeId,
      kind: requiredKind(parsed.text("kind")),
      durationMs: BigInt(Math.round(parseDurationMs(parsed.text("for") ?? "60s"))),
      delayMs: Math.round(parseDurationMs(parsed.text("delay") ?? "200ms")),
    },
  }),
  done: (name) => `The drill on ${name} runs. Stop it with: holdfast admin fault stop ${name}`,
});

function requiredKind(word: string | undefined): DrillKind {
  const kind = drillKinds[word ?? ""];
  if (kind === undefined) throw new UsageError(`usage: holdfast ${adminFaultStart.usage}`);
  return kind;
}

function requiredDurationMs(parsed: Parsed, usage: string): number {
  const text = parsed.text("for");
  if (text === undefined) throw new UsageError(`usage: holdfast ${usage}`);
  return parseDurationMs(text);
}
