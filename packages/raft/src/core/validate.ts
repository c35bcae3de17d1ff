import type { Config } from "./config.ts";
import type { ConfigurationChange, Entry, EntryId, Membership, SnapshotMeta } from "./entries.ts";
import type { Message } from "./messages.ts";

/**
 * Why a message from a peer makes no sense, whatever its bytes were decoded to; undefined: it does. Everything after
 * this check may rely on whole, safe numbers, known kinds and contiguous entries. Reads fields as unknown on purpose.
 */
export function findFault(message: Message, config: Config): string | undefined {
  const raw: unknown = message;
  if (!isRecord(raw)) return "not a message";
  if (!isPeer(raw["from"]) || raw["to"] !== config.id) return "wrong sender or receiver";
  // Nobody else may speak in this node's name: its own votes and acknowledgements never leave it.
  if (raw["from"] === config.id && !config.switches.deliverOwnMessages) return "own message from outside";
  const hasTerm = raw["kind"] === "forwardedProposal" ? raw["term"] === 0 : isNatural(raw["term"]) && raw["term"] > 0;
  if (!hasTerm) return "wrong term";
  const isSound = Object.hasOwn(bodies, String(raw["kind"])) && bodies[raw["kind"] as Message["kind"]](raw);
  return isSound ? undefined : `unsound ${String(raw["kind"])}`;
}

type Fields = Readonly<Record<string, unknown>>;

const bodies: Readonly<Record<Message["kind"], (raw: Fields) => boolean>> = {
  voteRequest: (raw) =>
    isBoolean(raw["isPreVote"]) && isBoolean(raw["isTransfer"]) && isEntryId(raw["last"]) && isEntryId(raw["commit"]),
  voteResponse: (raw) => isBoolean(raw["isPreVote"]) && isBoolean(raw["isRejected"]) && isEntryId(raw["commit"]),
  appendRequest: (raw) =>
    isEntryId(raw["previous"]) && isNatural(raw["commit"]) && isRun(raw["entries"], raw["previous"], raw["term"]),
  appendResponse: (raw) =>
    isNatural(raw["index"]) &&
    (raw["hint"] === undefined ? raw["hasLost"] === undefined : isEntryId(raw["hint"])) &&
    (raw["hasLost"] === undefined || raw["hasLost"] === true),
  heartbeatRequest: (raw) => isEntryId(raw["commit"]) && isNatural(raw["round"]),
  heartbeatResponse: (raw) => isNatural(raw["round"]),
  snapshotRequest: (raw) => isSnapshotMeta(raw["snapshot"]) && raw["snapshot"].term <= Number(raw["term"]),
  timeoutNow: () => true,
  forwardedProposal: (raw) => Array.isArray(raw["entries"]) && raw["entries"].every(isEntryOrBlank),
  forwardedTransfer: (raw) => isPeer(raw["target"]),
  readIndexRequest: (raw) => isNatural(raw["request"]),
  readIndexResponse: (raw) => isNatural(raw["request"]) && isNatural(raw["index"]),
};

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Far enough below the end of the safe integers that no sum of two leaves them. */
const naturalMax = 2 ** 52;

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= naturalMax;
}

function isPeer(value: unknown): value is number {
  return isNatural(value) && value > 0;
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isEntryId(value: unknown): value is EntryId {
  return isRecord(value) && isNatural(value["term"]) && isNatural(value["index"]);
}

function isEntryOrBlank(value: unknown): value is Entry {
  return isEntryId(value) && isRecord(value) && isPayload((value as Fields)["payload"]);
}

/** Entries without gaps after `previous`, with terms that never fall nor exceed the sender's. */
function isRun(entries: unknown, previous: EntryId, senderTerm: unknown): boolean {
  if (!Array.isArray(entries) || !isNatural(senderTerm) || previous.term > senderTerm) return false;
  let { term, index } = previous as { term: number; index: number };
  for (const entry of entries) {
    if (!isEntryOrBlank(entry) || entry.index !== index + 1) return false;
    if (entry.term < term || entry.term > senderTerm || entry.term === 0) return false;
    ({ term, index } = entry);
  }
  return true;
}

function isPayload(value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (value["kind"] === "empty") return true;
  if (value["kind"] === "application") return value["data"] instanceof Uint8Array;
  return value["kind"] === "configuration" && isChange(value["change"]);
}

const transitions: readonly unknown[] = ["auto", "implicit", "explicit"];
const actions: readonly unknown[] = ["addVoter", "addLearner", "remove", "update", "readmit"];

/** Whether a change is one at all; whether it may be made is another question. */
export function isChange(value: unknown): value is ConfigurationChange {
  if (!isRecord(value) || !(value["context"] instanceof Uint8Array) || !Array.isArray(value["steps"])) return false;
  const areSteps = value["steps"].every(
    (step: unknown) => isRecord(step) && actions.includes(step["action"]) && isNatural(step["peer"]),
  );
  const isVersion = value["version"] === 2 || (value["version"] === 1 && value["steps"].length === 1);
  return areSteps && isVersion && transitions.includes(value["transition"]);
}

function isSnapshotMeta(value: unknown): value is SnapshotMeta {
  if (!isEntryId(value) || value.index === 0 || value.term === 0) return false;
  const { membership, context } = value as SnapshotMeta;
  return isMembership(membership) && (context === undefined || context instanceof Uint8Array);
}

function isMembership(value: unknown): value is Membership {
  if (!isRecord(value) || !isBoolean(value["autoLeave"])) return false;
  const { voters, votersOutgoing, learners, learnersNext } = value;
  if (![voters, votersOutgoing, learners, learnersNext].every(isPeerList)) return false;
  const membership = value as unknown as Membership;
  const isLearnerApart = membership.learners.every(
    (id) => !membership.voters.includes(id) && !membership.votersOutgoing.includes(id),
  );
  const isNextOutgoing = membership.learnersNext.every(
    (id) => membership.votersOutgoing.includes(id) && !membership.voters.includes(id),
  );
  return membership.voters.length > 0 && isLearnerApart && isNextOutgoing;
}

function isPeerList(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  let before = 0;
  for (const id of value) {
    if (!isPeer(id) || id <= before) return false;
    before = id;
  }
  return true;
}
