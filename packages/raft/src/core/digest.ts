import type { RaftState } from "./state.ts";

/**
 * A 64-bit number that is equal for equal states. Random numbers to come, events and how long the core has run are no
 * part of it. Not cryptographic: for exploration and comparison.
 */
export function digestState(state: RaftState): bigint {
  const mix = new Mixer();
  const { log } = state;
  mix.value([state.term, state.vote, state.role, state.leader, state.transferee, state.hasFailed]);
  mix.value([log.start, log.lastIndex, log.committed, log.applied, log.applying, log.durable, log.persisting]);
  mix.value([log.pendingSnapshot, log.runs(), log.windowEntries()]);
  mix.value([log.missing, log.repairs, state.regained.entries]);
  mix.value([state.membership, state.activatedIndex, state.pendingConfigurationIndex, state.snapshotIndex]);
  mix.value([state.electionElapsed, state.heartbeatElapsed, state.randomizedElectionTicks, state.hasOrderedHandover]);
  mix.value([...state.votes].sort(([left], [right]) => left - right));
  for (const id of state.peerIds) {
    const progress = state.progress.get(id);
    if (progress === undefined) continue;
    mix.value([id, progress.state, progress.match, progress.next, progress.sentCommit, progress.pendingSnapshot]);
    mix.value([progress.isActive, progress.isPausedForAnswer, progress.isLearner, progress.fetchRef]);
    mix.value([progress.ackedRound, progress.inflights.list()]);
  }
  const { reads, tick } = state;
  const age = (at: number | undefined): number | undefined => (at === undefined ? undefined : tick - at);
  mix.value([reads.round, reads.confirmedRound, reads.waiting, reads.postponed, age(reads.leaseStart?.tick)]);
  mix.value(reads.roundStarts.map((start) => [start.round, age(start.tick)]));
  mix.value(reads.forwarded.map(({ ref, sentAtTick }) => [ref, age(sentAtTick)]));
  mix.value(state.transferRefs.map(({ ref, fromLeader, sinceTick }) => [ref, fromLeader, age(sinceTick)]));
  mix.value([age(state.resolveAtTick), state.readyTerm, state.isDiskStallReported]);
  mix.value([state.uncommittedBytes, state.openProposals, state.openApplies, state.isApplyPaused, state.openFetches]);
  for (const { givenAtTick, ...order } of state.openPersists) mix.value([order, state.tick - givenAtTick]);
  mix.value([state.persistedHardState, state.outbox.messages, state.outbox.afterPersist, state.outbox.replies]);
  return mix.result();
}

/** FNV-1a in two lanes over a canonical walk: types are told apart, object fields are taken in name order. */
class Mixer {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  value(value: unknown): void {
    if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#text(value);
    else if (typeof value === "boolean") this.#byte(value ? 1 : 2);
    else if (value instanceof Uint8Array) this.#list(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (typeof value === "object" && value !== null) this.#record(value);
    else this.#byte(3);
  }

  #list(values: ArrayLike<unknown>): void {
    this.#byte(4);
    this.#number(values.length);
    for (let position = 0; position < values.length; position++) this.value(values[position]);
  }

  #record(record: object): void {
    this.#byte(5);
    const fields = Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1));
    for (const [name, value] of fields) {
      this.#text(name);
      this.value(value);
    }
  }

  #text(text: string): void {
    this.#byte(6);
    for (let position = 0; position < text.length; position++) this.#byte(text.charCodeAt(position));
  }

  #number(value: number): void {
    this.#byte(7);
    this.#word(value | 0);
    this.#word(Math.floor(value / 4294967296) | 0);
  }

  #word(word: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.#byte((word >>> shift) & 255);
  }

  #byte(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, 0x01000193) >>> 0;
    this.#high = Math.imul(this.#high ^ byte ^ (this.#low >>> 13), 0x85ebca6b) >>> 0;
  }

  result(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }
}
