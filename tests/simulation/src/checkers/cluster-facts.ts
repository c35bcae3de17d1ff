import { toHex } from "@holdfast/base";
import type { DomainEvent } from "@holdfast/master";
import { machineOfNode } from "../world/process-configs.ts";
import type { ExpectedCopy } from "./chunk-files.ts";

/** A chunk as the committed events tell it. */
export interface ChunkFacts extends ExpectedCopy {
  /** Nodes whose copy counts. */
  readonly confirmed: Set<number>;
  /** Nodes that were told to drop theirs, with the term of the order. */
  readonly trims: Map<number, number>;
  /** Who needs it: "entry/version" or an upload's id; undefined = nobody. */
  holder: string | undefined;
}

/** A node as the committed events tell it. */
export interface NodeFacts {
  readonly nodeId: number;
  /** The machine it runs on. */
  readonly machine: string;
  isDown: boolean;
}

/**
 * What the committed events come to, folded again in a simpler way and without the product's code, so that what the
 * product does can be held against it.
 */
export class ClusterFacts {
  readonly chunks = new Map<number, ChunkFacts>();
  readonly nodes = new Map<number, NodeFacts>();
  /** Highest chunk id that was ever given out. */
  grantedMax = 0;
  /** Orders that were ever given, "node/chunk" to their terms. */
  readonly ordered = new Map<string, Set<number>>();
  /** Copies that were placed after their chunk was and are not confirmed, "node/chunk". */
  readonly #beingCopied = new Set<string>();
  readonly #versions = new Map<string, readonly number[]>();
  readonly #uploads = new Map<string, number[]>();

  /** Chunks that somebody needs. */
  *held(): Generator<ChunkFacts> {
    for (const chunk of this.chunks.values()) if (chunk.holder !== undefined) yield chunk;
  }

  /** Whether copies are being made. */
  get isRepairing(): boolean {
    return this.#beingCopied.size > 0;
  }

  /** The node that is on a machine now: the newest one that joined from there. */
  nodeOn(machine: string): NodeFacts | undefined {
    return [...this.nodes.values()].findLast((node) => node.machine === machine);
  }

  /** Folds the events of one batch, in order. `before` is called with each event before it is folded. */
  fold(events: readonly DomainEvent[], before: (event: DomainEvent) => void): void {
    for (const event of events) {
      before(event);
      this.#foldOne(event);
    }
  }

  #foldOne(event: DomainEvent): void {
    switch (event.kind) {
      case "chunksGranted":
        for (const { chunkId } of event.chunks) this.grantedMax = Math.max(this.grantedMax, chunkId);
        return;
      case "chunkPlaced": {
        const { chunkId, generation, lengthBytes } = event;
        const [confirmed, trims] = [new Set(event.confirmedNodeIds), new Map<number, number>()];
        const sha256 = toHex(event.sha256);
        this.chunks.set(chunkId, { chunkId, generation, lengthBytes, sha256, confirmed, trims, holder: undefined });
        return;
      }
      case "nodeJoined":
        this.nodes.set(event.nodeId, { nodeId: event.nodeId, machine: machineOfNode(event.name), isDown: false });
        return;
      case "nodeDown":
      case "nodeUp": {
        const node = this.nodes.get(event.nodeId);
        if (node !== undefined) node.isDown = event.kind === "nodeDown";
        return;
      }
      default:
        this.#foldCopies(event);
        this.#foldHolders(event);
    }
  }

  #foldCopies(event: DomainEvent): void {
    switch (event.kind) {
      case "replicaPlaced":
        for (const chunkId of event.chunkIds) this.#beingCopied.add(orderKey(event.nodeId, chunkId));
        return;
      case "replicaConfirmed":
        for (const chunkId of event.chunkIds) {
          this.#beingCopied.delete(orderKey(event.nodeId, chunkId));
          const chunk = this.chunks.get(chunkId);
          if (chunk?.trims.has(event.nodeId) === false) chunk.confirmed.add(event.nodeId);
        }
        return;
      case "replicaLost":
        for (const chunkId of event.chunkIds) this.chunks.get(chunkId)?.confirmed.delete(event.nodeId);
        return;
      case "trimOrdered": {
        const chunk = this.chunks.get(event.chunkId);
        chunk?.confirmed.delete(event.nodeId);
        chunk?.trims.set(event.nodeId, event.term);
        const key = orderKey(event.nodeId, event.chunkId);
        this.ordered.set(key, (this.ordered.get(key) ?? new Set()).add(event.term));
        return;
      }
      case "replicaTrimmed":
        this.chunks.get(event.chunkId)?.trims.delete(event.nodeId);
        this.chunks.get(event.chunkId)?.confirmed.delete(event.nodeId);
        return;
      default:
    }
  }

  #foldHolders(event: DomainEvent): void {
    switch (event.kind) {
      case "versionCommitted": {
        const key = `${event.entryId}/${event.versionId}`;
        this.#versions.set(key, event.chunkIds);
        this.#hold(event.chunkIds, key);
        return;
      }
      case "uploadPartStored": {
        this.#uploads.set(event.uploadId, [...(this.#uploads.get(event.uploadId) ?? []), ...event.chunkIds]);
        this.#hold(event.chunkIds, event.uploadId);
        return;
      }
      case "uploadEnded":
        this.#release(this.#uploads.get(event.uploadId) ?? [], event.uploadId);
        this.#uploads.delete(event.uploadId);
        return;
      case "versionPurged":
        this.#releaseVersion(`${event.entryId}/${event.versionId}`);
        return;
      case "entryPurged":
        for (const key of [...this.#versions.keys()])
          if (key.startsWith(`${event.entryId}/`)) this.#releaseVersion(key);
        return;
      default:
    }
  }

  #hold(chunkIds: readonly number[], holder: string): void {
    for (const chunkId of chunkIds) {
      const chunk = this.chunks.get(chunkId);
      if (chunk !== undefined) chunk.holder = holder;
    }
  }

  #release(chunkIds: readonly number[], holder: string): void {
    for (const chunkId of chunkIds) {
      const chunk = this.chunks.get(chunkId);
      if (chunk?.holder !== holder) continue;
      chunk.holder = undefined;
      for (const nodeId of this.nodes.keys()) this.#beingCopied.delete(orderKey(nodeId, chunkId));
    }
  }

  #releaseVersion(key: string): void {
    this.#release(this.#versions.get(key) ?? [], key);
    this.#versions.delete(key);
  }
}

/** Key of `ClusterFacts.ordered`. */
export function orderKey(nodeId: number, chunkId: number): string {
  return `${nodeId}/${chunkId}`;
}
