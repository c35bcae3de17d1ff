import { crc32 } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  InstallSnapshotRequestSchema,
  OfferSnapshotRequestSchema,
  RaftService,
  type InstallSnapshotRequest,
  type OfferSnapshotResponse,
} from "@holdfast/proto/raft/v1/raft";
import type { Network } from "@holdfast/rpc";
import type { Timer, Timers } from "@holdfast/runtime";
import type { StateSnapshot } from "../../api.ts";
import type { SnapshotMeta } from "../../core/entries.ts";
import type { PeerId, Term } from "../../core/types.ts";
import { bytesOfHex } from "../../transport/hello-codec.ts";
import { encodePosition } from "../../transport/position-codec.ts";
import { chainOf } from "./snapshot-chain.ts";

/** An offer without an answer ends after this. */
const offerTimeoutMs = 5000;

/** What one snapshot on its way to one member needs. */
export interface OutgoingSnapshotOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly clusterId: string;
  readonly self: PeerId;
  readonly to: PeerId;
  readonly address: string;
  readonly incarnation: string;
  /** 16 random bytes. */
  readonly id: Uint8Array;
  readonly meta: SnapshotMeta;
  readonly snapshot: StateSnapshot;
  /** A stream on which nothing moves for so long is given up; a later one goes on. */
  readonly stallMs: number;
}

/** One frozen state on its way to one member, over as many streams as it takes. */
export class OutgoingSnapshot {
  readonly #options: OutgoingSnapshotOptions;
  #sentBytes = 0;
  #streams = 0;
  #abort: AbortController | undefined;
  #watchdog: Timer | undefined;

  constructor(options: OutgoingSnapshotOptions) {
    this.#options = options;
  }

  get meta(): SnapshotMeta {
    return this.#options.meta;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Streams that were begun. */
  get streams(): number {
    return this.#streams;
  }

  /** 0 to 100; 100 only when all is there. */
  get percent(): number {
    const { sizeBytesEstimate } = this.#options.snapshot;
    if (sizeBytesEstimate <= 0) return 0;
    return Math.min(99, Math.floor((100 * this.#sentBytes) / sizeBytesEstimate));
  }

  /**
   * Offers it and streams what the member lacks. Resolves when the member has this state or a newer one.
   * Errors: whatever broke the stream; calling again goes on where it broke.
   */
  async run(term: Term): Promise<void> {
    const { network, address } = this.#options;
    const client = network.client(RaftService, address);
    this.#streams++;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const offer = await client.offerSnapshot(this.#offer(term), { timeoutMs: offerTimeoutMs, signal: abort.signal });
      if (!offer.isWanted) return;
      this.#watch();
      const answer = await client.installSnapshot(this.#pieces(term, offer), { signal: abort.signal });
      if (!answer.isInstalled)
        throw new HoldfastError("unavailable", `member ${this.#options.to} did not install the snapshot`);
    } finally {
      this.#watchdog?.cancel();
      abort.abort();
    }
  }

  /** Ends the stream under way. */
  cancel(): void {
    this.#abort?.abort();
  }

  /** Gives the frozen state back. */
  async close(): Promise<void> {
    this.cancel();
    await this.#options.snapshot.close();
  }

  #offer(term: Term) {
    const { clusterId, self, to, incarnation, id, meta, snapshot } = this.#options;
    return create(OfferSnapshotRequestSchema, {
      clusterId,
      from: self,
      to,
      incarnation: bytesOfHex(incarnation),
      term: BigInt(term),
      snapshotId: id,
      position: encodePosition(meta),
      sizeBytesEstimate: BigInt(Math.max(0, Math.round(snapshot.sizeBytesEstimate))),
    });
  }

  async *#pieces(term: Term, offer: OfferSnapshotResponse): AsyncGenerator<InstallSnapshotRequest> {
    const { clusterId, self, id, meta, snapshot } = this.#options;
    let number = offer.piece;
    let chain: Uint8Array = offer.chain;
    const base = {
      ...{ clusterId, from: self, term: BigInt(term), snapshotId: id },
      ...{ lastIndex: BigInt(meta.index), lastTerm: BigInt(meta.term) },
    };
    for await (const piece of snapshot.pieces(offer.resumeKey)) {
      chain = chainOf(chain, piece.data);
      const { data, lastKey } = piece;
      yield create(InstallSnapshotRequestSchema, {
        ...base,
        ...{ piece: number, data, crc32: crc32(data), resumeKey: lastKey, chain },
      });
      number++;
      this.#sentBytes += data.length;
      this.#watch();
    }
    yield create(InstallSnapshotRequestSchema, { ...base, piece: number, isLast: true, chain });
    this.#watch();
  }

  #watch(): void {
    this.#watchdog?.cancel();
    this.#watchdog = this.#options.timers.after(this.#options.stallMs, () => this.#abort?.abort());
  }
}
