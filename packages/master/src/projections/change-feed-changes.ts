import { create } from "@bufbuild/protobuf";
import { ChangeSchema, type Change } from "@holdfast/proto/master/v1/master";
import type { Entry, Node } from "@holdfast/proto/model/v1/model";
import type { DomainEvent } from "../domain/events.ts";

/** Looks things up as they are right after the batch. */
export interface ChangeLookup {
  readonly entry: (entryId: number) => Entry | undefined;
  readonly node: (nodeId: number) => Node | undefined;
  /** Where a drill runs or ran. */
  readonly nodeOfDrill: (drillId: number) => number | undefined;
}

/** A committed batch, as far as watchers care. */
export interface ChangedBatch {
  readonly actor: string;
  readonly events: readonly DomainEvent[];
}

/**
 * What watchers are told of a batch: one change for each entry, node and upload, however many events it took. Events
 * that no page shows (grants, copies, passwords) give nothing, and neither does the slow purge of what lay below a folder.
 */
export function changesOf(batch: ChangedBatch, lookup: ChangeLookup): readonly Change[] {
  const collected = new Collected();
  for (const event of batch.events) {
    collected.note(event, batch.actor);
    const drilled = event.kind === "drillEnded" ? lookup.nodeOfDrill(event.drillId) : undefined;
    if (drilled !== undefined) collected.nodes.add(drilled);
  }
  const changes: Change[] = [];
  for (const [entryId, sourceParentId] of collected.entries) {
    const entry = lookup.entry(entryId);
    const value = { entry, sourceParentId: BigInt(sourceParentId ?? entry?.parentId ?? 0) };
    if (entry !== undefined) changes.push(create(ChangeSchema, { change: { case: "entry", value } }));
  }
  for (const [entryId, { parentId, ownerId }] of collected.gone) {
    const value = { entryId: BigInt(entryId), parentId: BigInt(parentId), ownerId: BigInt(ownerId) };
    changes.push(create(ChangeSchema, { change: { case: "entryGone", value } }));
  }
  for (const nodeId of collected.nodes) {
    const node = lookup.node(nodeId);
    if (node !== undefined) changes.push(create(ChangeSchema, { change: { case: "node", value: { node } } }));
  }
  for (const tokenSha256 of collected.sessions)
    changes.push(create(ChangeSchema, { change: { case: "sessionGone", value: { tokenSha256 } } }));
  for (const uploadId of collected.uploads)
    changes.push(create(ChangeSchema, { change: { case: "upload", value: { uploadId } } }));
  return changes;
}

class Collected {
  /** Entry -> where it was before the batch; 0 = it is new, undefined = where it is. */
  readonly entries = new Map<number, number | undefined>();
  readonly gone = new Map<number, { readonly parentId: number; readonly ownerId: number }>();
  readonly nodes = new Set<number>();
  readonly sessions: Uint8Array[] = [];
  readonly uploads = new Set<string>();

  note(event: DomainEvent, actor: string): void {
    switch (event.kind) {
      case "folderCreated":
      case "fileCreated":
        this.entries.set(event.entryId, 0);
        return;
      case "versionCommitted":
        this.#noteEntry(event.entryId, undefined);
        return;
      case "entryMoved":
      case "entryTrashed":
        this.#noteEntry(event.entryId, event.sourceParentId);
        return;
      case "entryRestored":
        this.#noteEntry(event.entryId, 0);
        return;
      case "entryPurged":
        this.#noteGone(event.entryId, actor);
        return;
      case "nodeJoined":
      case "nodeReported":
      case "nodeDown":
      case "nodeUp":
      case "nodeDraining":
      case "nodeDrained":
      case "nodeActivated":
      case "maintenanceStarted":
      case "nodeFailed":
      case "nodeRemoved":
      case "nodeReplaced":
      case "nodeLabelled":
      case "drillStarted":
        this.nodes.add(event.nodeId);
        return;
      case "sessionEnded":
        this.sessions.push(event.tokenSha256);
        return;
      case "uploadStarted":
      case "uploadPartStored":
      case "uploadEnded":
        this.uploads.add(event.uploadId);
        return;
      default:
    }
  }

  #noteEntry(entryId: number, sourceParentId: number | undefined): void {
    if (!this.entries.has(entryId)) this.entries.set(entryId, sourceParentId);
  }

  /** The entry's row is gone by now; whose it was is known from who asked. Controllers purge only what nobody sees. */
  #noteGone(entryId: number, actor: string): void {
    const owner = /^user:(\d+)$/.exec(actor)?.[1];
    if (owner === undefined) return;
    this.gone.set(entryId, { parentId: this.entries.get(entryId) ?? 0, ownerId: Number(owner) });
    this.entries.delete(entryId);
  }
}
