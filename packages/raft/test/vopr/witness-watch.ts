import { promisesKeptMs } from "../../src/node/membership/promise-keeper.ts";
import type { VoprMember } from "./vopr-member.ts";

/** What a crash may have cost a member: what others told it in this time was in its memory only. */
interface ForgottenSpan {
  readonly witness: VoprMember;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What was seen of a member. */
interface Seen {
  /** Undefined while it is down. */
  process: VoprMember["process"];
  /** Term and last index, when they became that, and when they first changed after the backup. */
  position: string;
  changedMs: number;
  changedSinceBackupMs: number | undefined;
  /** Since when its disk has worked, without a pause. */
  wellSinceMs: number;
  /** What it was told until then is on its disk. */
  settledMs: number;
}

/** How much later than due a flush may be durable: its sync takes its time, and members are looked at every 5 ms. */
const slackMs = 50;

/**
 * Whether anybody can know that a member forgot something. What a member has on disk is remembered by whom it was told,
 * and that is durable `promisesKeptMs` later at most (DESIGN.md, "Who forgot"). A witness that crashed before that, and
 * was told nothing before or since that an old copy lacks, knows no more than the copy: then more than a minority has
 * failed (VOPR seed 4781).
 */
export class WitnessWatch {
  readonly #seen = new Map<VoprMember, Seen>();
  readonly #forgotten: ForgottenSpan[] = [];

  /** This member is paused, or its disk is slow or hung, until then. */
  unwell(member: VoprMember, untilMs: number): void {
    const seen = this.#seen.get(member);
    if (seen !== undefined) seen.wellSinceMs = Math.max(seen.wellSinceMs, untilMs);
  }

  /** Looks at everybody; to be called every few ms. */
  look(members: readonly VoprMember[], nowMs: number): void {
    for (const member of members) {
      const process = member.node === undefined ? undefined : member.process;
      const seen = this.#seen.get(member) ?? start(nowMs);
      this.#seen.set(member, seen);
      if (seen.process !== process) {
        if (seen.process !== undefined)
          this.#forgotten.push({ witness: member, fromMs: seen.settledMs, toMs: nowMs + slackMs });
        Object.assign(seen, { process, wellSinceMs: nowMs, settledMs: nowMs });
      }
      const keptMs = promisesKeptMs / member.machine.clockRate + slackMs;
      if (nowMs - seen.wellSinceMs >= keptMs) seen.settledMs = nowMs - keptMs;
      const status = member.node?.status();
      if (status === undefined) continue;
      const position = `${status.term}/${status.lastIndex}`;
      if (position === seen.position) continue;
      seen.changedSinceBackupMs ??= nowMs;
      Object.assign(seen, { position, changedMs: nowMs });
    }
  }

  /** All disks are copied now. */
  backedUp(): void {
    for (const seen of this.#seen.values()) seen.changedSinceBackupMs = undefined;
  }

  /** Whether all that a member wrote lately may be known to nobody else any more: since the backup, or just the end of it. */
  isUnwitnessed(member: VoprMember, what: "sinceBackup" | "atTheEnd"): boolean {
    const { changedMs, changedSinceBackupMs = changedMs } = this.#seen.get(member) ?? start(0);
    const firstMs = what === "sinceBackup" ? changedSinceBackupMs : changedMs;
    return this.#forgotten.some(
      ({ witness, fromMs, toMs }) => witness !== member && fromMs <= firstMs && changedMs <= toMs,
    );
  }
}

function start(nowMs: number): Seen {
  return {
    process: undefined,
    position: "",
    changedMs: nowMs,
    changedSinceBackupMs: undefined,
    wellSinceMs: nowMs,
    settledMs: nowMs,
  };
}
