import {
  allVoters,
  majorityReached,
  majorityVote,
  quorumReached,
  quorumVote,
  type VoteOutcome,
} from "../../core/quorum.ts";
import type { PeerId } from "../../core/types.ts";
import type { ScriptCommand } from "./datadriven.ts";

const outcomeNames: Readonly<Record<VoteOutcome, string>> = {
  pending: "VotePending",
  lost: "VoteLost",
  won: "VoteWon",
};

interface QuorumCase {
  readonly first: readonly PeerId[];
  readonly second: readonly PeerId[];
  readonly isJoint: boolean;
  readonly values: ReadonlyMap<PeerId, number>;
  readonly fault: string | undefined;
}

/** Runs one `committed` or `vote` command of etcd's quorum scripts. */
export function runQuorumCommand(command: ScriptCommand): string {
  const given = readCase(command);
  if (given.fault !== undefined) return given.fault;
  if (command.name === "committed") return committed(given);
  if (command.name === "vote") return vote(given);
  return `unknown command: ${command.name}`;
}

function readCase(command: ScriptCommand): QuorumCase {
  const values = (key: string): readonly string[] =>
    command.args.find((argument) => argument.key === key)?.values ?? [];
  const ids = (key: string): PeerId[] =>
    values(key)
      .filter((id) => id !== "zero")
      .map((id) => Number(id) as PeerId);
  const first = ids("cfg");
  const second = ids("cfgj");
  const isJoint = command.args.some((argument) => argument.key === "cfgj");
  const input = command.name === "vote" ? values("votes") : values("idx");
  const order = [...new Set([...first, ...second])];
  const known = new Map<PeerId, number>();
  order.forEach((id, place) => {
    const text = input[place];
    if (text === undefined || text === "_") return;
    known.set(id, text === "y" ? 1 : text === "n" ? 0 : Number(text));
  });
  const voters = allVoters({ voters: first, votersOutgoing: second });
  const isMatching = order.length === input.length;
  const fault = `error: mismatched input (explicit or _) for voters [${voters.join(" ")}]: [${input.join(" ")}]`;
  return { first, second, isJoint, values: known, fault: isMatching ? undefined : fault };
}

function committed(given: QuorumCase): string {
  const { first, second, isJoint } = given;
  const reachedBy = (id: PeerId): number => given.values.get(id) ?? 0;
  const name = (index: number): string => (Number.isFinite(index) ? String(index) : "∞");
  const index = isJoint
    ? quorumReached({ voters: first, votersOutgoing: second }, reachedBy)
    : majorityReached(first, reachedBy);
  let text = chart(allVoters({ voters: first, votersOutgoing: second }), given.values);
  const checks: readonly (readonly [string, number])[] = isJoint
    ? [["via symmetry", quorumReached({ voters: second, votersOutgoing: first }, reachedBy)]]
    : [
        ["via zero-joint quorum", quorumReached({ voters: first, votersOutgoing: [] }, reachedBy)],
        ["via self-joint quorum", quorumReached({ voters: first, votersOutgoing: first }, reachedBy)],
        ...overlays(first, reachedBy, index),
      ];
  for (const [how, other] of checks) if (other !== index) text += `${name(other)} <-- ${how}\n`;
  return `${text}${name(index)}`;
}

/** Who is below what is committed may fall further without changing it. */
function overlays(
  voters: readonly PeerId[],
  reachedBy: (id: PeerId) => number,
  index: number,
): readonly (readonly [string, number])[] {
  return voters.flatMap((lowered) => {
    const own = reachedBy(lowered);
    if (index <= own || own === 0) return [];
    return [own - 1, 0].map((value): readonly [string, number] => [
      `overlaying ${lowered}->${value}`,
      majorityReached(voters, (id) => (id === lowered ? value : reachedBy(id))),
    ]);
  });
}

/** A bar for every voter: as long as there are voters with a lower index. */
function chart(voters: readonly PeerId[], values: ReadonlyMap<PeerId, number>): string {
  if (voters.length === 0) return "<empty majority quorum>";
  const count = voters.length;
  let text = `${" ".repeat(count)}    idx\n`;
  for (const id of voters) {
    const value = values.get(id);
    const bar = voters.filter((other) => (values.get(other) ?? 0) < (value ?? 0)).length;
    const drawn = value === undefined ? `?${" ".repeat(count)}` : `${"x".repeat(bar)}>${" ".repeat(count - bar)}`;
    text += `${drawn} ${String(value ?? 0).padStart(5)}    (id=${id})\n`;
  }
  return text;
}

function vote(given: QuorumCase): string {
  const { first, second, isJoint } = given;
  const voteOf = (id: PeerId): boolean | undefined => {
    const value = given.values.get(id);
    return value === undefined ? undefined : value === 1;
  };
  if (!isJoint) return outcomeNames[majorityVote(first, voteOf)];
  const outcome = quorumVote({ voters: first, votersOutgoing: second }, voteOf);
  const mirrored = quorumVote({ voters: second, votersOutgoing: first }, voteOf);
  const complaint = mirrored === outcome ? "" : `${outcomeNames[mirrored]} <-- via symmetry\n`;
  return `${complaint}${outcomeNames[outcome]}`;
}
