import { crc32 } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { equalBytes, HoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  InstallSnapshotResponseSchema,
  OfferSnapshotResponseSchema,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type OfferSnapshotRequest,
  type OfferSnapshotResponse,
} from "@holdfast/proto/raft/v1/raft";
import type { Timer, Timers } from "@holdfast/runtime";
import type { StateInstallation, StateMachine } from "../../api.ts";
import type { SnapshotMeta } from "../../core/entries.ts";
import type { LogIndex, PeerId, Term } from "../../core/types.ts";
import { hexOf } from "../../transport/hello-codec.ts";
import { decodePosition } from "../../transport/position-codec.ts";
import { chainOf } from "./snapshot-chain.ts";

/** A whole snapshot that a leader sent. */
export interface ReceivedSnapshot {
  readonly from: PeerId;
  /** The sender's term. */
  readonly term: Term;
  readonly meta: SnapshotMeta;
  readonly installation: StateInstallation;
}

/** What the receiver of snapshots needs. */
export interface SnapshotReceiverOptions {
  readonly stateMachine: StateMachine;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly clusterId: string;
  readonly self: PeerId;
  /** Where this node is; undefined: it takes part in nothing now. */
  readonly position: () => { readonly term: Term; readonly commitIndex: LogIndex } | undefined;
  /** A half received state is forgotten when nothing came for so long. */
  readonly keptMs: number;
  /** Hands a whole one over; whether it was installed. */
  readonly onWhole: (snapshot: ReceivedSnapshot) => Promise<boolean>;
}

interface Incoming {
  readonly id: string;
  readonly from: PeerId;
  readonly term: Term;
  readonly meta: SnapshotMeta;
  readonly installation: StateInstallation;
  readonly sizeBytesEstimate: number;
  piece: number;
  resumeKey: Uint8Array;
  chain: Uint8Array;
  bytes: number;
  /** The stream that may add pieces; an older one that is only half dead may not. */
  stream: symbol | undefined;
  /** A piece is being added. */
  adding: Promise<void>;
}

/** Gathers snapshots that leaders send: one at a time, piece by piece, over as many streams as it takes. */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  #incoming: Incoming | undefined;
  /** A whole one is on its way to its place, which takes as long as the disk does. */
  #isHandedOver = false;
  #expiry: Timer | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** What comes in now. */
  get progress(): { readonly from: PeerId; readonly index: LogIndex; readonly percent: number } | undefined {
    const incoming = this.#incoming;
    if (incoming === undefined) return undefined;
    const { from, meta, bytes, sizeBytesEstimate } = incoming;
    const percent = sizeBytesEstimate === 0 ? 0 : Math.min(99, Math.floor((100 * bytes) / sizeBytesEstimate));
    return { from, index: meta.index, percent };
  }

  /** The handler of the offer: one after another. */
  readonly offerSnapshot = (offer: OfferSnapshotRequest): Promise<OfferSnapshotResponse> => {
    const answer = this.#turn.then(() => this.#offer(offer));
    this.#turn = answer.catch(() => undefined);
    return answer;
  };

  /** The handler of the pieces. */
  readonly installSnapshot = async (
    pieces: AsyncIterable<InstallSnapshotRequest>,
  ): Promise<InstallSnapshotResponse> => {
    const stream = Symbol("stream");
    try {
      for await (const piece of pieces) {
        const incoming = this.#incomingOf(piece, stream);
        if (!piece.isLast) {
          await this.#add(incoming, piece, stream);
          continue;
        }
        if (piece.piece !== incoming.piece || !equalBytes(piece.chain, incoming.chain)) throw broken("its end");
        return await this.#finish(incoming);
      }
      throw new HoldfastError("invalidArgument", "the snapshot stream ended before its last piece");
    } finally {
      if (this.#incoming?.stream === stream) this.#incoming.stream = undefined;
      this.#expireLater();
    }
  };

  /** Forgets what is half here. */
  async stop(): Promise<void> {
    this.#expiry?.cancel();
    await this.#turn;
    await this.#forget();
  }

  async #offer(offer: OfferSnapshotRequest): Promise<OfferSnapshotResponse> {
    const { clusterId, self, stateMachine, logger } = this.#options;
    if (offer.clusterId !== clusterId || offer.to !== self) {
      throw new HoldfastError(
        "wrongCluster",
        `this is member ${self} of "${clusterId}"; the snapshot is for another one`,
      );
    }
    const position = this.#options.position();
    if (position === undefined || stateMachine.snapshots === undefined)
      throw new HoldfastError("unavailable", `member ${self} takes no snapshots now; try again`);
    // One at a time: the state machine has room for one more state beside the present one.
    if (this.#isHandedOver)
      throw new HoldfastError(
        "unavailable",
        `member ${self} puts a snapshot in its place now; offer again in a moment`,
      );
    const meta = decodePosition(offer.position);
    if (meta === undefined) throw new HoldfastError("invalidArgument", "the offered position cannot be read");
    const term = BigInt(position.term);
    if (Number(offer.term) < position.term || meta.index <= position.commitIndex)
      return create(OfferSnapshotResponseSchema, { term, isWanted: false });
    const id = hexOf(offer.snapshotId);
    if (this.#incoming?.id !== id) {
      await this.#forget();
      this.#incoming = {
        ...{ id, from: offer.from as PeerId, term: Number(offer.term) as Term, meta },
        ...{ installation: await stateMachine.snapshots.begin(), sizeBytesEstimate: Number(offer.sizeBytesEstimate) },
        ...{ piece: 0, resumeKey: new Uint8Array(0), chain: new Uint8Array(0), bytes: 0 },
        ...{ stream: undefined, adding: Promise.resolve() },
      };
      logger.info("raft.snapshot_receiving", { from: offer.from, index: meta.index });
    }
    const incoming = this.#incoming;
    // From here on an older stream adds nothing; what it was adding counts.
    incoming.stream = undefined;
    await incoming.adding;
    this.#expireLater();
    const { piece, resumeKey, chain } = incoming;
    return create(OfferSnapshotResponseSchema, { term, isWanted: true, piece, resumeKey, chain });
  }

  #incomingOf(piece: InstallSnapshotRequest, stream: symbol): Incoming {
    const incoming = this.#incoming;
    if (incoming?.id !== hexOf(piece.snapshotId)) throw broken("a snapshot that was not offered");
    incoming.stream ??= stream;
    if (incoming.stream !== stream) throw broken("a stream that another one has replaced");
    return incoming;
  }

  async #add(incoming: Incoming, piece: InstallSnapshotRequest, stream: symbol): Promise<void> {
    const chain = chainOf(incoming.chain, piece.data);
    const isNext = piece.piece === incoming.piece && equalBytes(chain, piece.chain);
    if (!isNext || crc32(piece.data) !== piece.crc32) throw broken(`piece ${piece.piece}`);
    const added = incoming.installation.add({ data: piece.data, lastKey: piece.resumeKey });
    incoming.adding = added.catch(() => undefined);
    try {
      await added;
    } catch (error) {
      await this.#forget();
      throw error;
    }
    incoming.piece++;
    incoming.resumeKey = piece.resumeKey;
    incoming.chain = chain;
    incoming.bytes += piece.data.length;
    if (incoming.stream !== stream) throw broken("a stream that another one has replaced");
    this.#expireLater();
  }

  async #finish(incoming: Incoming): Promise<InstallSnapshotResponse> {
    this.#expiry?.cancel();
    this.#incoming = undefined;
    const { from, term, meta, installation } = incoming;
    this.#isHandedOver = true;
    const isInstalled = await this.#options.onWhole({ from, term, meta, installation }).finally(() => {
      this.#isHandedOver = false;
    });
    return create(InstallSnapshotResponseSchema, { term: BigInt(this.#options.position()?.term ?? 0), isInstalled });
  }

  #expireLater(): void {
    this.#expiry?.cancel();
    if (this.#incoming === undefined) return;
    this.#expiry = this.#options.timers.after(this.#options.keptMs, () => {
      this.#turn = this.#turn.then(() => this.#forget());
    });
  }

  async #forget(): Promise<void> {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (incoming === undefined) return;
    incoming.stream = Symbol("forgotten");
    await incoming.adding;
    await incoming.installation.discard();
  }
}

function broken(what: string): HoldfastError {
  return new HoldfastError("invalidArgument", `the snapshot stream is broken at ${what}; offer it again to go on`);
}
