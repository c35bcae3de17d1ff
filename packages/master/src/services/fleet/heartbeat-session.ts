import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AsyncQueue, HoldfastError, must } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  HeartbeatResponseSchema,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from "@holdfast/proto/master/v1/master";
import { describeIdentity, errorKindToWire, type PeerIdentity } from "@holdfast/rpc";
import type { Clock, KeyValueStore, Timer, Timers } from "@holdfast/runtime";
import type { NodeDigests } from "../../application/node-digests.ts";
import type { OneAtATime } from "../../application/one-at-a-time.ts";
import type { Submitter } from "../../application/submission.ts";
import type { HeldCopy } from "../../domain/chunks/decide-replicas.ts";
import { decideIntroduction } from "../../domain/fleet/decide.ts";
import { chunkTable } from "../../domain/chunks/tables.ts";
import { readRefusedNodes } from "../../domain/fleet/refused-nodes.ts";
import { explainRemoval } from "../../domain/fleet/replacements.ts";
import { nodeByUuidTable, nodeTable } from "../../domain/fleet/tables.ts";
import { clusterTable } from "../../domain/state.ts";
import { readerOf, type TableReader } from "../../domain/tables.ts";
import { CopyReportBuffer } from "./copy-report-buffer.ts";
import { DrillSender } from "./drill-sender.ts";
import type { FleetObserver, StreamClaim } from "./fleet-observer.ts";
import { BucketChecker } from "./inventory/bucket-checker.ts";
import type { JoinGate } from "./join-gate.ts";
import type { Leadership } from "./leadership.ts";
import { reportFromWire, type NodeReport } from "./node-report.ts";
import { TrimSender } from "./trim-sender.ts";

/** Orders that may wait for a slow stream; beyond it new ones are left for later rounds. */
const waitingOrdersMax = 2000;
/** Committed trim orders that were not carried out are sent again after so long. */
const trimRoundMs = 2000;
/** Copies remembered that came before their chunk was committed. */
const earlyCopiesMax = 20_000;

type Order = NonNullable<MessageInitShape<typeof HeartbeatResponseSchema>["order"]>;

/** What sessions work with. */
export interface SessionOptions {
  readonly store: KeyValueStore;
  readonly digests: NodeDigests;
  readonly listings: OneAtATime;
  readonly submitter: Submitter;
  readonly observer: FleetObserver;
  readonly leadership: Leadership;
  readonly joinGate: JoinGate;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** What a session has once its node is known. */
interface Joined {
  readonly nodeId: number;
  readonly nodeUuid: string;
  readonly streamNumber: number;
  readonly copies: CopyReportBuffer;
  readonly buckets: BucketChecker;
  readonly trims: TrimSender;
  readonly drills: DrillSender;
  readonly trimRound: Timer;
}

/**
 * One node's heartbeat stream at the leader: lets the node in, takes its reports in order, and sends orders. Ends when
 * the node goes, when it is refused, when another stream of it takes over, or when this master stops leading.
 */
export class HeartbeatSession {
  readonly orders = new AsyncQueue<HeartbeatResponse>();
  readonly #options: SessionOptions;
  readonly #onJoined: (session: HeartbeatSession, nodeId: number) => void;
  readonly #term: number;
  readonly #caller: PeerIdentity | undefined;
  #joined: Joined | undefined;
  #isComparing = false;
  /** Copies that were durable before the log knew their chunk; in order of arrival. */
  readonly #early = new Map<number, HeldCopy>();

  /** `caller` is who the node is by its certificate; undefined on a plain network. `onJoined` is called once, when it was let in. */
  constructor(
    options: SessionOptions,
    {
      caller,
      onJoined,
    }: {
      readonly caller: PeerIdentity | undefined;
      readonly onJoined: (session: HeartbeatSession, nodeId: number) => void;
    },
  ) {
    this.#options = options;
    this.#caller = caller;
    this.#onJoined = onJoined;
    this.#term = options.leadership.term();
  }

  /** The node, once it was let in. */
  get nodeId(): number | undefined {
    return this.#joined?.nodeId;
  }

  /** Reads the stream to its end, one report after another. Errors: `invalidArgument`, those of the store. */
  async read(requests: AsyncIterable<HeartbeatRequest>): Promise<void> {
    for await (const request of requests) {
      const report = reportFromWire(request);
      if (!this.#leads(report)) return;
      if (this.#joined === undefined) {
        this.#joined = await this.#letIn(report);
        if (this.#joined !== undefined) this.#onJoined(this, this.#joined.nodeId);
      }
      if (this.#joined === undefined || !(await this.#take(this.#joined, report))) return;
    }
  }

  /** Ends the stream. With `redirect` the node is told who leads now. */
  end(reason: "redirect" | "closed"): void {
    if (reason === "redirect")
      this.#push({ case: "redirect", value: { leaderAddress: this.#options.leadership.leaderAddress() } });
    this.orders.end();
    const joined = this.#joined;
    if (joined === undefined) return;
    joined.trimRound.cancel();
    joined.copies.stop();
    this.#options.observer.closeStream(joined.nodeId, joined.streamNumber);
  }

  /** A chunk was committed with this node as a place and without its word; it may have given it earlier. */
  onPlaced(chunkId: number): void {
    const copy = this.#early.get(chunkId);
    if (copy !== undefined) this.#joined?.copies.note("held", copy);
  }

  /** Somebody looked for these copies and did not find them: what the node said of them before proves nothing any more. */
  onMissing(chunkIds: readonly number[]): void {
    for (const chunkId of chunkIds) this.#early.delete(chunkId);
    this.#joined?.copies.forget(chunkIds);
  }

  /** An order for this node was committed. */
  onTrimOrdered(chunkId: number, generation: number): void {
    if (this.orders.length < waitingOrdersMax) this.#joined?.trims.send(chunkId, generation);
  }

  /** A drill on this node began or ended. */
  onDrillChanged(tables: TableReader): void {
    this.#joined?.drills.sendAll(tables);
  }

  /** The node is no longer part of the cluster. */
  onRemoved(tables: TableReader): void {
    const row = this.#joined === undefined ? undefined : tables.get(nodeTable, [this.#joined.nodeId]);
    if (row !== undefined) this.#refuse("precondition", `${explainRemoval(tables, row)} Its copies are not needed.`);
  }

  /** Tells whose certificates count no longer; a plain network has none. */
  onNodesRefused(tables: TableReader): void {
    if (this.#caller === undefined) return;
    this.#push({ case: "refusedNodes", value: { nodeUuids: [...readRefusedNodes(tables).keys()] } });
  }

  /** An order that is not repeated here; false when the stream is over or takes no more for now. */
  order(order: HeartbeatResponse): boolean {
    return this.orders.length < waitingOrdersMax && this.orders.push(order);
  }

  /** Whether this master may speak to the node at all. A node that has seen a higher term knows of a newer leader. */
  #leads(report: NodeReport): boolean {
    const { leadership } = this.#options;
    if (leadership.isReady() && leadership.term() === this.#term && report.term <= this.#term) return true;
    this.end("redirect");
    return false;
  }

  async #letIn(report: NodeReport): Promise<Joined | undefined> {
    const { store, observer, logger } = this.#options;
    const { introduction, incarnation } = report;
    const { name, address, nodeUuid } = introduction;
    const tables = readerOf(store);
    if (this.#caller !== undefined && this.#caller.id !== nodeUuid) {
      const whose = `The certificate shown is that of ${describeIdentity(this.#caller)}, and the report is of node ${nodeUuid}.`;
      return this.#refuse("denied", `${whose} A node speaks only for itself. Nothing was changed.`);
    }
    // Before anything of it is committed: a copy of a directory must not move its node's address.
    const known = tables.get(nodeByUuidTable, [nodeUuid]);
    const committedAddress = known === undefined ? "" : (tables.get(nodeTable, [known.nodeId])?.address ?? "");
    const claimOf = (nodeId: number): StreamClaim => ({ nodeId, name, incarnation, address, committedAddress });
    const doubt = known === undefined ? undefined : observer.doubtOf(claimOf(known.nodeId));
    if (doubt !== undefined) return this.#refuse(doubt.kind, doubt.message);
    if (!(await this.#introduce(report))) return undefined;
    const { nodeId } = must(tables.get(nodeByUuidTable, [nodeUuid]), "a node that was let in is in the tables");
    const opened = observer.openStream(claimOf(nodeId));
    if (!opened.ok) return this.#refuse(opened.error.kind, opened.error.message);
    const { clusterId } = must(tables.get(clusterTable, []), "nodes join after the cluster exists");
    const called = tables.get(nodeTable, [nodeId])?.name ?? name;
    this.#push({ case: "welcome", value: { nodeId, clusterId, term: BigInt(this.#term), name: called } });
    this.onNodesRefused(tables);
    logger.info("fleet.node_connected", { nodeId, name, address, term: this.#term });
    return this.#start({ nodeId, nodeUuid, streamNumber: opened.value });
  }

  #start({ nodeId, nodeUuid, streamNumber }: Pick<Joined, "nodeId" | "nodeUuid" | "streamNumber">): Joined {
    const { store, digests, listings, submitter, clock, timers, logger } = this.#options;
    const copies = new CopyReportBuffer({ nodeId, submitter, timers, logger });
    const buckets = new BucketChecker({
      ...{ nodeId, store, digests, listings },
      order: (wanted) => this.#push({ case: "listBuckets", value: { buckets: [...wanted] } }),
      note: (found, whenCommitted) => {
        for (const copy of found.unexpected) copies.note("listed", copy);
        for (const chunkId of found.missingChunkIds) copies.note("missing", { chunkId, generation: 0, lengthBytes: 0 });
        if (found.missingChunkIds.length > 0)
          logger.warn("fleet.copies_missing", { nodeId, count: found.missingChunkIds.length });
        copies.whenCommitted(whenCommitted);
      },
    });
    const send = (order: HeartbeatResponse): boolean =>
      this.orders.length < waitingOrdersMax && this.orders.push(order);
    const trims = new TrimSender({ nodeId, term: this.#term, store, send });
    const sendAll = (): void => {
      trims.sendAll().catch((error: unknown) => this.orders.fail(error));
    };
    sendAll();
    const drills = new DrillSender({ nodeId, term: this.#term, store, clock, send });
    const trimRound = timers.every(trimRoundMs, sendAll);
    return { nodeId, nodeUuid, streamNumber, copies, buckets, trims, drills, trimRound };
  }

  /** False when the stream is over. */
  async #take(joined: Joined, report: NodeReport): Promise<boolean> {
    const { observer, logger } = this.#options;
    if (report.introduction.nodeUuid !== joined.nodeUuid) {
      const whose = `This stream is that of node ${joined.nodeUuid}, and the report is of node ${report.introduction.nodeUuid}.`;
      this.#refuse("denied", `${whose} A node speaks only for itself. Nothing was changed.`);
      return false;
    }
    const outcome = observer.accept(joined.nodeId, joined.streamNumber, report);
    if (outcome === "superseded") {
      logger.info("fleet.stream_superseded", { nodeId: joined.nodeId });
      this.end("closed");
      return false;
    }
    if (outcome === "stale") return true;
    joined.drills.compare(report.drillIds);
    if (!(await this.#introduce(report))) return false;
    for (const copy of report.added) this.#noteHeld(joined, "added", copy);
    // Somebody may have found such a copy damaged since it was written: it does not speak against that.
    for (const copy of report.stillHeld) this.#noteHeld(joined, "listed", copy);
    for (const copy of report.corrupt) joined.copies.note("corrupt", copy);
    for (const copy of report.trimmed) joined.copies.note("trimmed", copy);
    for (const { bucket, copies } of report.listed) await joined.buckets.take(bucket, copies);
    if (report.digests.length > 0) this.#compare(joined, report.digests);
    return true;
  }

  /** Beside the reports, which must not wait for it: a new leader reads a thousand nodes' digests one after another. */
  #compare({ buckets }: Joined, digests: NodeReport["digests"]): void {
    // The tenth report from now brings them again.
    if (this.#isComparing) return;
    this.#isComparing = true;
    buckets.compare(digests).then(
      () => (this.#isComparing = false),
      (error: unknown) => this.orders.fail(error),
    );
  }

  #noteHeld(joined: Joined, kind: "added" | "listed", copy: HeldCopy): void {
    const row = readerOf(this.#options.store).get(chunkTable, [copy.chunkId]);
    // Then a copy that is told as added was written or verified after the damage was known.
    const isKnownDamaged = row?.corruptNodeIds.includes(joined.nodeId) === true;
    joined.copies.note(kind === "added" && !isKnownDamaged ? "held" : kind, copy);
    if (row !== undefined) return;
    this.#early.set(copy.chunkId, copy);
    if (this.#early.size <= earlyCopiesMax) return;
    for (const oldest of this.#early.keys()) {
      this.#early.delete(oldest);
      return;
    }
  }

  /** Commits what is new about the node; nothing is submitted when nothing is. False when the node is refused. */
  async #introduce({ introduction, joinCredential }: NodeReport): Promise<boolean> {
    const { store, submitter, joinGate } = this.#options;
    const proof = joinGate(joinCredential);
    const known = decideIntroduction(readerOf(store), introduction, { proof, atMs: 0 });
    if (known.ok && known.value.events.length === 0) return true;
    const actor = `node:${readerOf(store).get(nodeByUuidTable, [introduction.nodeUuid])?.nodeId ?? 0}`;
    try {
      await submitter.submit({
        actor,
        decide: (tables, { atMs }) => decideIntroduction(tables, introduction, { proof, atMs }),
      });
      return true;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (error.kind === "notLeader" || error.kind === "unavailable" || error.kind === "tooBusy") this.end("redirect");
      else this.#refuse(error.kind, error.message);
      return false;
    }
  }

  #refuse(kind: HoldfastError["kind"], reason: string): undefined {
    this.#options.logger.warn("fleet.node_refused", { kind, reason });
    this.#push({ case: "refused", value: { reason, errorKind: errorKindToWire(kind) } });
    this.end("closed");
    return undefined;
  }

  #push(order: Order): void {
    this.orders.push(create(HeartbeatResponseSchema, { order }));
  }
}
