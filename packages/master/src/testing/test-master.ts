import { silentLogger, createMetrics } from "@holdfast/observability";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import { createMemoryStore } from "@holdfast/runtime/sim";
import { CommandHandler } from "../application/command-handler.ts";
import { ProjectionsStateMachine } from "../application/state-machine.ts";
import type { SubmitResult } from "../application/submission.ts";
import { decide } from "../domain/decide.ts";
import { decideInitialise } from "../domain/initialise.ts";
import type { DomainCommand } from "../domain/commands.ts";
import { readerOf, type TableReader } from "../domain/tables.ts";
import { eventLogProjection } from "../projections/event-log.ts";
import { createUser, testChunkSizeBytes } from "./domain-world.ts";
import { MemoryRaft } from "./memory-raft.ts";

/** A clock that tests move. */
export class TestClock implements Clock {
  nowMs = 1_700_000_000_000;

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }
}

/** One master's inside without network: memory store, state machine, memory Raft, command handler. */
export class TestMaster {
  readonly clock = new TestClock();
  readonly store: KeyValueStore = createMemoryStore();
  readonly stateMachine: ProjectionsStateMachine;
  readonly raft: MemoryRaft;
  readonly handler: CommandHandler;
  readonly tables: TableReader = readerOf(this.store);
  private requests = 0;

  constructor() {
    this.stateMachine = new ProjectionsStateMachine({
      store: this.store,
      logger: silentLogger,
      projections: [eventLogProjection],
    });
    this.raft = new MemoryRaft(this.stateMachine);
    this.handler = new CommandHandler({
      raft: this.raft,
      store: this.store,
      isVoid: (index) => this.stateMachine.isVoid(index),
      clock: this.clock,
      metrics: createMetrics(),
      observedNodes: () => new Map(),
      writeCopiesMin: 2,
      inFlightBatchesMax: 32,
    });
  }

  /** A cluster with one account; gives the account's id and root. */
  async initialise(): Promise<{ readonly userId: number; readonly rootId: number }> {
    const cluster = { clusterId: "c".repeat(32), chunkSizeBytes: testChunkSizeBytes, replication: 3 };
    await this.handler.submit({ actor: "setup", decide: (tables) => decideInitialise(tables, cluster) });
    const { outcome } = await this.execute(createUser());
    return { userId: outcome.userId ?? 0, rootId: outcome.entryId ?? 0 };
  }

  /** Submits a command under a request id of its own, or the one given. */
  execute(command: DomainCommand, requestId = `request-${(this.requests += 1)}`): Promise<SubmitResult> {
    return this.handler.submit({
      requestId,
      actor: "user:1",
      decide: (tables, context) => decide(tables, command, context),
    });
  }
}

/** A command that makes a folder. */
export function createFolder(userId: number, parentId: number, name: string): DomainCommand {
  return { kind: "createFolder", userId, parentId, name, keepExisting: false };
}
