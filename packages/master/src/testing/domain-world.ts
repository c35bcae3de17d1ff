import { must } from "@holdfast/base";
import { decide } from "../domain/decide.ts";
import type { CommandOutcome, DomainCommand, WrittenChunk } from "../domain/commands.ts";
import type { DecideContext, DecideResult, Decision, ObservedNode } from "../domain/decision.ts";
import type { DomainEvent } from "../domain/events.ts";
import { evolveBatch } from "../domain/evolve.ts";
import { tablesOf, type Tables } from "../domain/tables.ts";
import { MemoryView } from "./memory-view.ts";

/** Bytes of a full chunk in tests. */
export const testChunkSizeBytes = 1024;
const noBytes = new Uint8Array(0);

/** Decide and evolve without Raft: each command is folded at once. */
export class DomainWorld {
  readonly view = new MemoryView();
  readonly tables: Tables = tablesOf(this.view);
  readonly history: DomainEvent[] = [];
  atMs = 1_000;
  private index = 0;
  private tokens = 0;

  /** A cluster with three nodes and no account. */
  constructor() {
    this.fold([
      { kind: "clusterInitialised", clusterId: "c".repeat(32), chunkSizeBytes: testChunkSizeBytes, replication: 3 },
    ]);
    for (const nodeId of [1, 2, 3]) this.fold([joined(nodeId)]);
  }

  get context(): DecideContext {
    return {
      atMs: this.atMs,
      term: 1,
      actor: "test",
      writeCopiesMin: 2,
      nodes: new Map([1, 2, 3].map((nodeId) => [nodeId, observed(nodeId)])),
    };
  }

  /** What the command would lead to. */
  decide(command: DomainCommand): DecideResult {
    return decide(this.tables, command, this.context);
  }

  /** Carries a command out; its kind of refusal, or its outcome. */
  run(command: DomainCommand): CommandOutcome | string {
    const result = this.decide(command);
    if (!result.ok) return result.error.kind;
    this.fold(result.value.events);
    return result.value.outcome;
  }

  /** Carries a command out that can't be refused. */
  must(command: DomainCommand): Required<CommandOutcome> {
    const result = this.decide(command);
    if (!result.ok) throw new Error(`${command.kind} was refused: ${result.error.kind}: ${result.error.message}`);
    this.fold(result.value.events);
    return result.value.outcome as Required<CommandOutcome>;
  }

  /** Carries out a controller's step. */
  apply(decision: Decision): number {
    this.fold(decision.events);
    return decision.events.length;
  }

  fold(events: readonly DomainEvent[], requestId = ""): void {
    this.index += 1;
    this.atMs += 1;
    this.history.push(...events);
    const batch = { requestId, actor: "test", atMs: this.atMs, events, outcome: noBytes, sequence: this.index };
    evolveBatch(this.tables, batch, { index: this.index, atMs: this.atMs, actor: "test" });
  }

  /** An account; gives its id and root. */
  user(email = "ann@example.org"): { readonly userId: number; readonly rootId: number } {
    const { userId, entryId } = this.must(createUser({ email }));
    return { userId, rootId: entryId };
  }

  /** A folder. */
  folder(userId: number, parentId: number, name: string): number {
    return this.must({ kind: "createFolder", userId, parentId, name, keepExisting: false }).entryId;
  }

  /** An inline file. */
  file(userId: number, parentId: number, name: string, content: Uint8Array = Uint8Array.of(1)): number {
    return this.must(commitFile({ userId, parentId, name, inlineContent: content, sizeBytes: content.length })).entryId;
  }

  /** Chunks that were granted and written, all full but the last. */
  written(lengthBytes: number): readonly WrittenChunk[] {
    return writtenChunks((command) => this.must(command), lengthBytes);
  }

  /** A fresh token hash. */
  token(): Uint8Array {
    this.tokens += 1;
    const token = new Uint8Array(32);
    new DataView(token.buffer).setUint32(0, this.tokens);
    return token;
  }
}

/** Chunks of so many bytes that were granted through `run` and are durable on two of three nodes. */
export function writtenChunks(
  run: (command: DomainCommand) => CommandOutcome | undefined,
  lengthBytes: number,
): readonly WrittenChunk[] {
  const count = Math.ceil(lengthBytes / testChunkSizeBytes);
  const grant = run({ kind: "grantChunks", gateway: "gateway-1", count, avoidNodeIds: [] })?.grant;
  return must(grant, "a grant").chunks.map((chunk, position) => ({
    chunkId: chunk.chunkId,
    generation: 1,
    lengthBytes: position < count - 1 ? testChunkSizeBytes : lengthBytes - (count - 1) * testChunkSizeBytes,
    sha256: new Uint8Array(32).fill(chunk.chunkId % 256),
    nodeIds: chunk.places.map((place) => place.nodeId),
    confirmedNodeIds: chunk.places.map((place) => place.nodeId).slice(0, 2),
  }));
}

/** A command that makes an account. */
export function createUser(change: Partial<Extract<DomainCommand, { kind: "createUser" }>> = {}): DomainCommand {
  return {
    kind: "createUser",
    email: "ann@example.org",
    passwordHash: "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA",
    isAdmin: false,
    phone: "",
    channels: ["email"],
    setupTokenSha256: noBytes,
    isForced: false,
    keepExisting: false,
    ...change,
  };
}

/** A command that stores a file. */
export function commitFile(change: Partial<Extract<DomainCommand, { kind: "commitFile" }>>): DomainCommand {
  return {
    kind: "commitFile",
    parentId: 0,
    name: "file",
    userId: 0,
    conflict: 1,
    sizeBytes: 0,
    sha256: noBytes,
    chunks: [],
    inlineContent: noBytes,
    ...change,
  };
}

/** A command that moves or renames. */
export function moveEntry(change: Partial<Extract<DomainCommand, { kind: "moveEntry" }>>): DomainCommand {
  return {
    kind: "moveEntry",
    entryId: 0,
    targetParentId: 0,
    targetName: "",
    userId: 0,
    ifRevision: 0,
    conflict: 1,
    ...change,
  };
}

function joined(nodeId: number): DomainEvent {
  return {
    kind: "nodeJoined",
    nodeId,
    nodeUuid: String(nodeId).repeat(32),
    name: `node-${nodeId}`,
    address: `127.0.0.1:${9000 + nodeId}`,
    ip: "127.0.0.1",
    mac: "00:00:00:00:00:00",
    capacityBytes: 2 ** 40,
    zone: "",
    rack: "",
    joinTokenId: 0,
  };
}

function observed(nodeId: number): ObservedNode {
  return {
    nodeId,
    liveness: "live",
    usedBytes: 0,
    freeBytes: 2 ** 40,
    capacityBytes: 2 ** 40,
    chunkCount: 0,
    diskState: "ok",
    activeWriteCount: 0,
    activeReadCount: 0,
  };
}
