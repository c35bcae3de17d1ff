import type {
  ConfigurationChange,
  Entry,
  MemberAction,
  Membership,
  Payload,
  SnapshotMeta,
  Transition,
} from "../core/entries.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** The numbers stand in logs for ever: append only. */
const payloadKinds = { empty: 0, application: 1, configuration: 2 } as const;
const actions: readonly MemberAction[] = ["addVoter", "addLearner", "remove", "update", "readmit"];
const versions: readonly ConfigurationChange["version"][] = [1, 2];
const transitions: readonly Transition[] = ["auto", "implicit", "explicit"];

/** Fewest bytes an entry takes: term and kind. */
export const entryBytesMin = 2;

/** Term and payload; the index is known from the entry's place. */
export function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer.varint(entry.term);
  writer.u8(payloadKinds[entry.payload.kind]);
  if (entry.payload.kind === "application") writer.sized(entry.payload.data);
  if (entry.payload.kind === "configuration") writeChange(writer, entry.payload.change);
}

/** What `writeEntry` wrote; the reader says whether it failed. Data shares memory with the reader's bytes. */
export function readEntry(reader: ByteReader, index: LogIndex): Entry {
  return { term: reader.varint() as Term, index, payload: readPayload(reader) };
}

function readPayload(reader: ByteReader): Payload {
  switch (reader.u8()) {
    case payloadKinds.empty:
      return { kind: "empty" };
    case payloadKinds.application:
      return { kind: "application", data: reader.sized() };
    case payloadKinds.configuration:
      return { kind: "configuration", change: readChange(reader) };
    default:
      reader.fail();
      return { kind: "empty" };
  }
}

function writeChange(writer: ByteWriter, change: ConfigurationChange): void {
  writer.u8(versions.indexOf(change.version));
  writer.u8(transitions.indexOf(change.transition));
  writer.varint(change.steps.length);
  for (const step of change.steps) {
    writer.u8(actions.indexOf(step.action));
    writer.varint(step.peer);
  }
  writer.sized(change.context);
}

function readChange(reader: ByteReader): ConfigurationChange {
  const version = readChoice(reader, versions, 2);
  const transition = readChoice(reader, transitions, "auto");
  const steps = readList(reader, 2, () => ({ action: readChoice(reader, actions, "update"), peer: readPeer(reader) }));
  return { version, transition, steps, context: reader.sized() };
}

/** A snapshot's position and membership. */
export function writeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  writer.varint(meta.index);
  writer.varint(meta.term);
  const { voters, votersOutgoing, learners, learnersNext } = meta.membership;
  for (const list of [voters, votersOutgoing, learners, learnersNext]) {
    writer.varint(list.length);
    for (const peer of list) writer.varint(peer);
  }
  writer.u8(meta.membership.autoLeave ? 1 : 0);
}

/** What `writeSnapshotMeta` wrote. */
export function readSnapshotMeta(reader: ByteReader): SnapshotMeta {
  const index = reader.varint() as LogIndex;
  const term = reader.varint() as Term;
  const peers = (): readonly PeerId[] => readList(reader, 1, () => readPeer(reader));
  const membership: Membership = {
    voters: peers(),
    votersOutgoing: peers(),
    learners: peers(),
    learnersNext: peers(),
    autoLeave: readFlag(reader),
  };
  return { index, term, membership };
}

/** A byte that is 0 or 1. */
export function readFlag(reader: ByteReader): boolean {
  const value = reader.u8();
  if (value > 1) reader.fail();
  return value === 1;
}

/** A peer's id; 0 (nobody) is allowed. */
export function readPeer(reader: ByteReader): PeerId {
  const value = reader.varint();
  if (value > 0xffff_ffff) reader.fail();
  return value as PeerId;
}

function readChoice<T>(reader: ByteReader, choices: readonly T[], otherwise: T): T {
  const choice = choices[reader.u8()];
  if (choice === undefined) reader.fail();
  return choice ?? otherwise;
}

function readList<T>(reader: ByteReader, itemBytesMin: number, readItem: () => T): readonly T[] {
  const count = reader.count(itemBytesMin);
  const items: T[] = [];
  for (let index = 0; index < count && !reader.isFailed; index++) items.push(readItem());
  return items;
}
