import { isPlanted } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { RaftStanding } from "../../api.ts";
import type { SnapshotMeta } from "../../core/entries.ts";
import type { PeerId } from "../../core/types.ts";
import type { PeerAnswer } from "../../transport/transport.ts";
import { Admission } from "./admission.ts";

/** What finding out about the group needs. */
export interface StandingKeeperOptions {
  readonly standing: RaftStanding;
  readonly self: { readonly id: PeerId; readonly incarnation: string };
  readonly others: readonly PeerId[];
  readonly founding: SnapshotMeta;
  readonly joining: SnapshotMeta;
  /** The state machine makes snapshots: who joins is given one. Else it begins like a founder, and gets every entry. */
  readonly hasSnapshots: boolean;
  /** How long a node that has just started waits for the others to say that it has forgotten nothing. */
  readonly vouchingTicksMax: number;
  readonly logger: Logger;
  /** Makes a new log begin with this, durably; of a founder with whom else was there. */
  readonly begin: (start: SnapshotMeta, cofounders: ReadonlyMap<PeerId, string>) => Promise<void>;
  /** Says hello to the others. */
  readonly ask: () => void;
  /** The standing is another one. */
  readonly onChanged: (standing: RaftStanding) => void;
  readonly onFailed: (sentence: string, error: unknown) => void;
}

/** A node without a group asks the others every so many ticks. */
const helloTicks = 8;
/** For so many ticks a new directory that hears a leader waits for somebody to vouch for it before it joins. */
const vouchingTicks = 40;

/** How this node stands to its group, and for a new directory, how that is found out. */
export class StandingKeeper {
  readonly #options: StandingKeeperOptions;
  readonly #admission: Admission;
  /** Who has no answer of them yet to what this node said of itself. */
  readonly #unheard: Set<PeerId>;
  #standing: RaftStanding;
  #ticks = 0;
  #isDeciding = false;
  #isLed = false;

  constructor(options: StandingKeeperOptions) {
    this.#options = options;
    this.#standing = options.standing;
    this.#admission = new Admission(options.self, options.others);
    this.#unheard = new Set(options.others);
  }

  get standing(): RaftStanding {
    return this.#standing;
  }

  /** How often a node with a new directory has learned of another member's directory. */
  get round(): number {
    return this.#admission.round;
  }

  /**
   * Whether this node gives votes. One that has just started may have been given an old copy of its directory: whoever it
   * promised something to knows that. Not all can be waited for: they may be away.
   */
  get isVouchedFor(): boolean {
    return isPlanted("votesUnvouched") || this.#unheard.size === 0 || this.#ticks >= this.#options.vouchingTicksMax;
  }

  /** Time passes. Whether the others are to be asked now. */
  tick(): boolean {
    this.#ticks++;
    this.decideWhenClear();
    return this.#standing !== "member" && this.#ticks % helloTicks === 0;
  }

  /** Another member answered. */
  take(peer: PeerId, answer: PeerAnswer): void {
    if (answer.standing !== undefined) this.#unheard.delete(peer);
    if (this.#standing !== "undecided") return;
    const { round } = this.#admission;
    this.#admission.take(peer, answer);
    if (this.#admission.round > round) this.#options.ask();
    this.decideWhenClear();
  }

  /** Somebody leads. */
  heardLeader(): void {
    this.#isLed = true;
  }

  /** A snapshot of the group is installed. */
  joined(): void {
    this.#set("member");
  }

  /** Founds or joins, once it is clear which. */
  decideWhenClear(): void {
    if (this.#standing !== "undecided" || this.#isDeciding) return;
    const verdict = this.#admission.verdict(this.#isLed && this.#ticks >= vouchingTicks);
    if (verdict === "wait") return;
    this.#isDeciding = true;
    const { founding, joining, hasSnapshots, begin, onFailed } = this.#options;
    const isFounding = verdict === "found" || !hasSnapshots;
    begin(isFounding ? founding : joining, this.#admission.cofounders).then(
      () => this.#set(isFounding ? "member" : "joining"),
      (error: unknown) => onFailed("the log could not be founded", error),
    );
  }

  #set(standing: RaftStanding): void {
    if (this.#standing === standing) return;
    this.#standing = standing;
    this.#options.logger.info("raft.standing_changed", { standing });
    this.#options.onChanged(standing);
  }
}
