import { assert, type Result, ok, refused } from "@holdfast/base";
import { ByteReader } from "../transport/byte-reader.ts";
import { ByteWriter } from "../transport/byte-writer.ts";

/** A command as a client numbers it. */
export interface SessionCommand {
  /** What `open` gave the client. */
  readonly session: number;
  /** 1 for the session's first command, then one more each; a retry repeats the number. */
  readonly sequence: number;
  /** All answers up to this number have reached the client: they need not be kept. */
  readonly acknowledged: number;
}

/** What became of a command: carried out now, or the answer of the time when it was. */
export interface SessionAnswer {
  readonly answer: Uint8Array;
  readonly isRepeat: boolean;
}

/**
 * Why a command was not carried out. `expired`: the session is not there any more, so nobody knows whether the command
 * was carried out before: the client must find out, not retry. `forgotten`: the client said that it has the answer.
 */
export type SessionRefusal = "expired" | "forgotten";

interface Session {
  readonly id: number;
  /** By sequence. */
  readonly answers: Map<number, Uint8Array>;
  acknowledged: number;
}

/** How much is kept. The same on every member: the limits are a part of the replicated state. */
export interface SessionLimits {
  /** The session that was used longest ago goes when there are more. */
  readonly sessionsMax: number;
}

/**
 * Client sessions (dissertation §6.3), to be held inside a state machine and fed from the log only: a command that
 * reaches the log twice, because its client did not hear the first answer, changes the state once and gets the first
 * answer again. Deterministic: equal logs make equal tables, and which session goes is the same everywhere.
 */
export class SessionTable {
  readonly #limits: SessionLimits;
  /** In the order of their last use, oldest first. */
  readonly #sessions = new Map<number, Session>();

  constructor(limits: SessionLimits = { sessionsMax: 4096 }) {
    assert(limits.sessionsMax > 0, "there is room for a session");
    this.#limits = limits;
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Opens a session. `index` is that of the log entry that asked for it: unique, and the same on every member. */
  open(index: number): number {
    assert(!this.#sessions.has(index), "an entry opens one session");
    this.#sessions.set(index, { id: index, answers: new Map(), acknowledged: 0 });
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#limits.sessionsMax) break;
      this.#sessions.delete(oldest);
    }
    return index;
  }

  /** Ends a session; one that is not there is fine. */
  close(session: number): void {
    this.#sessions.delete(session);
  }

  /** Carries a command out, or gives the answer of the time when it was. `execute` is called at most once. */
  apply(command: SessionCommand, execute: () => Uint8Array): Result<SessionAnswer, SessionRefusal> {
    const session = this.#sessions.get(command.session);
    if (session === undefined) return refused("expired");
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    if (command.sequence <= session.acknowledged) return refused("forgotten");
    acknowledge(session, command.acknowledged);
    const known = session.answers.get(command.sequence);
    if (known !== undefined) return ok({ answer: known, isRepeat: true });
    const answer = execute();
    session.answers.set(command.sequence, answer);
    return ok({ answer, isRepeat: false });
  }

  /** The whole table, for a snapshot. */
  encode(): Uint8Array {
    const writer = new ByteWriter(1024);
    writer.varint(this.#sessions.size);
    for (const session of this.#sessions.values()) {
      writer.varint(session.id);
      writer.varint(session.acknowledged);
      writer.varint(session.answers.size);
      for (const [sequence, answer] of session.answers) {
        writer.varint(sequence);
        writer.sized(answer);
      }
    }
    return writer.finish();
  }

  /** A table as `encode` wrote it; undefined for other bytes. */
  static decode(bytes: Uint8Array, limits?: SessionLimits): SessionTable | undefined {
    const reader = new ByteReader(bytes);
    const table = new SessionTable(limits);
    const sessionCount = reader.count(sessionBytesMin);
    for (let count = 0; count < sessionCount && !reader.isFailed; count++) {
      const session: Session = { id: reader.varint(), acknowledged: reader.varint(), answers: new Map() };
      const answerCount = reader.count(answerBytesMin);
      for (let answers = 0; answers < answerCount && !reader.isFailed; answers++)
        session.answers.set(reader.varint(), Uint8Array.from(reader.sized()));
      table.#sessions.set(session.id, session);
    }
    return reader.isComplete ? table : undefined;
  }
}

/** Id, acknowledged, number of answers. */
const sessionBytesMin = 3;
/** Sequence, length. */
const answerBytesMin = 2;

function acknowledge(session: Session, through: number): void {
  if (through <= session.acknowledged) return;
  session.acknowledged = through;
  for (const sequence of session.answers.keys()) if (sequence <= through) session.answers.delete(sequence);
}
