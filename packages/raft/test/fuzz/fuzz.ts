import { checkInvariants } from "../../src/core/invariants.ts";
import type { Message } from "../../src/core/messages.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { decodeMessage, encodeMessage } from "../../src/transport/codec.ts";

/** What a run of the fuzzer did. */
export interface FuzzReport {
  readonly messages: number;
  /** Mangled bytes that were still a message, and went into a core. */
  readonly decoded: number;
  /** Of all that reached a core, how many it dropped as senseless. */
  readonly dropped: number;
  /** Reached a core in this role. */
  readonly byRole: Readonly<Record<string, number>>;
}

/** Messages given to one group before the next one begins: garbage of high terms would else end all variety. */
const messagesPerGroup = 400;

/**
 * Structured garbage: real messages of a living group with fields replaced, as bytes with bits turned, cut and spliced,
 * given to members in every role. Nothing may throw, no invariant of the member may break, and what the decoder lets
 * through must encode again. Throws with the message's number.
 */
export function fuzz(options: { readonly seed: number; readonly messages: number }): FuzzReport {
  const run = new FuzzRun(options.seed);
  for (let number = 0; number < options.messages; number++) {
    try {
      run.one(number);
    } catch (cause) {
      throw new Error(`seed ${options.seed}, message ${number}: ${String(cause)}`, { cause });
    }
  }
  return { messages: options.messages, decoded: run.decoded, dropped: run.dropped, byRole: run.byRole };
}

class FuzzRun {
  decoded = 0;
  dropped = 0;
  readonly byRole: Record<string, number> = {};
  readonly #random: () => number;
  #cluster: TestCluster;
  /** Real ones, to be mangled. */
  #samples: Message[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#cluster = this.#newCluster(seed);
  }

  one(number: number): void {
    if (number % messagesPerGroup === messagesPerGroup - 1) this.#cluster = this.#newCluster(number);
    if (this.#below(20) === 0) this.#live();
    const message = this.#mutateFields(this.#pick(this.#samples));
    const to = 1 + this.#below(3);
    const manner = this.#below(3);
    if (manner === 0) {
      this.#give(to, { ...message, to } as Message);
      return;
    }
    const bytes = manner === 1 ? this.#mangle(this.#bytesOf(this.#pick(this.#samples))) : this.#noise();
    const result = decodeMessage(bytes);
    if (!result.ok) return;
    this.decoded++;
    encodeMessage(result.value);
    this.#give(to, { ...result.value, to } as Message);
  }

  #give(to: number, message: Message): void {
    const node = this.#cluster.node(to);
    const { core } = node;
    if (core === undefined) return;
    const role = node.view().role;
    this.byRole[role] = (this.byRole[role] ?? 0) + 1;
    core.step({ kind: "receive", message });
    checkInvariants(node.view());
    core.digest();
    const output = core.drain();
    this.dropped += output.events.filter(({ kind }) => kind === "inputDropped").length;
    if (output.persist !== undefined) core.step({ kind: "persisted", token: output.persist.token });
    const last = output.apply[output.apply.length - 1];
    if (last !== undefined) core.step({ kind: "applied", index: last.index });
    for (const { ref } of output.fetch) core.step({ kind: "fetched", ref, entries: "compacted" });
    checkInvariants(node.view());
    core.drain();
  }

  /** A group that has worked for a while, and what its members said. */
  #newCluster(seed: number): TestCluster {
    const cluster = new TestCluster({ peers: 3, seed });
    this.#samples = [];
    cluster.isOpen = (message) => {
      if (this.#samples.length < 200) this.#samples.push(message);
      return true;
    };
    const leader = 1 + this.#below(3);
    cluster.elect(leader);
    for (let count = this.#below(5); count >= 0; count--) cluster.propose(leader, "text");
    cluster.settle();
    cluster.tick(4);
    cluster.isOpen = () => true;
    return cluster;
  }

  /** Members go on among themselves: time, campaigns, reads. What they say is lost. */
  #live(): void {
    const node = this.#cluster.node(1 + this.#below(3));
    const kind = this.#below(4);
    if (kind === 0) node.core?.step({ kind: "campaign" });
    else if (kind === 1) node.core?.step({ kind: "read", ref: this.#cluster.newRef(), mode: "round" });
    else if (kind === 2)
      node.core?.step({ kind: "propose", proposals: [{ ref: this.#cluster.newRef(), data: new Uint8Array(2) }] });
    else for (let ticks = 0; ticks < 5; ticks++) node.core?.step({ kind: "tick" });
    const output = node.core?.drain();
    if (output?.persist !== undefined) node.core?.step({ kind: "persisted", token: output.persist.token });
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  /** Fields become other numbers, other types, or those of another message. */
  #mutateFields(message: Message): Message {
    const copy = structuredClone(message) as unknown as Record<string, unknown>;
    for (let count = 1 + this.#below(3); count > 0; count--) this.#mutateOne(copy, 0);
    return copy as unknown as Message;
  }

  #mutateOne(record: Record<string, unknown>, depth: number): void {
    const name = this.#pick(Object.keys(record));
    const value = record[name];
    if (
      typeof value === "object" &&
      value !== null &&
      !ArrayBuffer.isView(value) &&
      depth < 3 &&
      this.#below(4) > 0 &&
      Object.keys(value).length > 0
    ) {
      this.#mutateOne(value as Record<string, unknown>, depth + 1);
    } else if (typeof value === "number" && this.#below(4) > 0) {
      record[name] = this.#pick([0, 1, value + 1, value - 1, value + this.#below(5), 2 ** 52, 2 ** 53]);
    } else {
      const other = this.#pick(this.#samples) as unknown as Record<string, unknown>;
      const strange = [undefined, null, -1, 1.5, Number.NaN, 2 ** 60, "x", true, [], {}, new Uint8Array(2), 5n];
      record[name] = this.#below(2) === 0 ? this.#pick(strange) : structuredClone(other[name] ?? other["index"]);
    }
  }

  /** Not everything that a core understands can be encoded: a sample that cannot is no sample. */
  #bytesOf(message: Message): Uint8Array {
    return encodeMessage(message);
  }

  #mangle(bytes: Uint8Array): Uint8Array {
    const mangled = Uint8Array.from(bytes);
    for (let count = 1 + this.#below(2); count > 0; count--) {
      const at = this.#below(mangled.length);
      mangled[at] = this.#below(2) === 0 ? this.#below(256) : (mangled[at] ?? 0) ^ (1 << this.#below(8));
    }
    const manner = this.#below(6);
    if (manner === 0) return mangled.subarray(0, this.#below(mangled.length));
    if (manner === 1) return Uint8Array.from([...mangled, ...this.#noise()]);
    return mangled;
  }

  #noise(): Uint8Array {
    const noise = Uint8Array.from({ length: this.#below(40) }, () => this.#below(256));
    // Past the first two checks, or nothing of it would be looked at.
    if (noise.length > 2 && this.#below(4) > 0) noise.set([1, 1 + this.#below(12)]);
    return noise;
  }
}
