import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HoldfastError, toHex } from "@holdfast/base";
import {
  CommandOutcomeSchema,
  ExecuteResponseSchema,
  GetClusterStatusResponseSchema,
  GetEntryResponseSchema,
  GetFileLayoutResponseSchema,
  GetMasterStatusResponseSchema,
  GetStateHashesResponseSchema,
  GetSessionResponseSchema,
  GetUploadResponseSchema,
  GetUserResponseSchema,
  ListEventsResponseSchema,
  ListFolderResponseSchema,
  ListSessionsResponseSchema,
  ListTrashResponseSchema,
  ListUsersResponseSchema,
  ResolvePathResponseSchema,
  StoredPartSchema,
  WatchResponseSchema,
  type Change,
  type ExecuteResponse,
  type GetClusterStatusResponse,
  type QueryService,
  type WatchResponse,
} from "@holdfast/proto/master/v1/master";
import type { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import { EntryKind, EntrySchema, Intent, Liveness } from "@holdfast/proto/model/v1/model";
import type { ServiceClient } from "@holdfast/rpc";
import type { Clock } from "@holdfast/runtime";
import { Mailbox } from "../drive/mailbox.ts";
import type { CommandCase, CommandOptions, Masters } from "../drive/ports.ts";
import { MemoryAccounts } from "./memory-accounts.ts";
import { applyDriveCommand, type MemoryUpload } from "./memory-drive-commands.ts";
import { MemoryFleet } from "./memory-fleet.ts";
import { MemoryNamespace } from "./memory-namespace.ts";

/** What a command did: facts for its outcome and changes for watchers. */
export interface MemoryEffect {
  readonly outcome?: MessageInitShape<typeof CommandOutcomeSchema>;
  readonly changes?: readonly Change[];
}

/** Masters in memory, for tests: one log index per command, outcomes kept by request id, everything at once. */
export class MemoryMasters implements Masters {
  readonly accounts: MemoryAccounts;
  readonly namespace = new MemoryNamespace();
  readonly uploads = new Map<string, MemoryUpload>();
  readonly commands: string[] = [];
  readonly fleetState = new MemoryFleet();
  readonly fleet: ServiceClient<typeof FleetQueryService> = this.fleetState.queries;
  /** While set, nothing answers. */
  isDown = false;
  liveNodeCount = 3;
  readonly #outcomes = new Map<string, ExecuteResponse>();
  readonly #watchers = new Set<Mailbox<WatchResponse>>();
  readonly #history: WatchResponse[] = [];
  #index = 10n;

  constructor(clock: Clock) {
    this.accounts = new MemoryAccounts(clock);
  }

  async execute(command: CommandCase, options: CommandOptions): Promise<ExecuteResponse> {
    this.#requireUp();
    if (options.signal.aborted) throw new HoldfastError("cancelled", "The caller gave up.");
    const earlier = this.#outcomes.get(options.requestId);
    if (earlier !== undefined) return earlier;
    const effect = this.#apply(command, this.#index + 1n);
    this.#index++;
    this.commands.push(command.case);
    const outcome = create(CommandOutcomeSchema, effect.outcome ?? {});
    const response = create(ExecuteResponseSchema, { index: this.#index, outcome });
    this.#outcomes.set(options.requestId, response);
    this.#tell([...(effect.changes ?? [])]);
    return response;
  }

  async *watch(fromIndex: bigint, signal: AbortSignal): AsyncIterable<WatchResponse> {
    this.#requireUp();
    const mailbox = new Mailbox<WatchResponse>(10_000, (held) => held);
    for (const message of this.#history) if (message.index > fromIndex) mailbox.push(message);
    this.#watchers.add(mailbox);
    const leave = (): void => mailbox.close();
    signal.addEventListener("abort", leave, { once: true });
    try {
      yield* mailbox;
    } finally {
      this.#watchers.delete(mailbox);
      signal.removeEventListener("abort", leave);
    }
  }

  /** Ends all subscriptions, as a leader change does. */
  breakWatches(thrown: unknown): void {
    for (const watcher of this.#watchers) watcher.fail(thrown);
  }

  status(): GetClusterStatusResponse {
    const nodes = Array.from({ length: this.liveNodeCount }, (_, at) => ({
      nodeId: at + 1,
      name: `node-${at + 1}`,
      liveness: Liveness.LIVE,
      intent: Intent.ACTIVE,
    }));
    return create(GetClusterStatusResponseSchema, {
      nodes,
      writeCopiesMin: 2,
      replication: 3,
      index: this.#index,
      clusterId: "c1".repeat(16),
    });
  }

  readonly queries: ServiceClient<typeof QueryService> = {
    getEntry: async ({ userId, entryId }) => {
      this.#requireUp();
      const entry = this.namespace.entryOf(userId, entryId);
      return create(GetEntryResponseSchema, {
        entry,
        ancestors: this.namespace.ancestorsOf(entry),
        index: this.#index,
      });
    },
    resolvePath: async ({ userId, path }) => {
      this.#requireUp();
      const root = this.accounts.userById(userId).rootEntryId;
      return create(ResolvePathResponseSchema, {
        entry: this.namespace.resolve(userId, root, path),
        index: this.#index,
      });
    },
    listFolder: async ({ userId, folderId, offset, limit }) => {
      this.#requireUp();
      const folder = this.namespace.entryOf(userId, folderId);
      const all = this.namespace.childrenOf(folderId);
      const entries = all.slice(offset, offset + (limit === 0 ? 200 : limit));
      return create(ListFolderResponseSchema, { entries, totalCount: all.length, folder, index: this.#index });
    },
    listTrash: async ({ userId }) => {
      const entries = [...this.namespace.entries.values()].filter(
        (entry) => entry.ownerId === userId && entry.trashedAtMs > 0n,
      );
      return create(ListTrashResponseSchema, { entries, index: this.#index });
    },
    getFileLayout: async ({ userId, entryId, versionId }) => {
      this.#requireUp();
      const entry = this.namespace.entryOf(userId, entryId);
      const content = this.namespace.contents.get(versionId === 0n ? entry.versionId : versionId);
      if (content === undefined && entry.kind === EntryKind.FILE)
        throw new HoldfastError("notFound", "There is no such version.");
      return create(GetFileLayoutResponseSchema, {
        entry,
        chunks: [...(content?.chunks ?? [])],
        inlineContent: content?.inline ?? new Uint8Array(),
        index: this.#index,
      });
    },
    getUpload: async ({ userId, uploadId }) => {
      this.#requireUp();
      const { start, parts } = this.uploadOf(userId, uploadId);
      const inOrder = [...parts.values()].sort((left, right) => left.part - right.part);
      const stored = inOrder.map(({ part, lengthBytes, sha256 }) =>
        create(StoredPartSchema, { part, lengthBytes, sha256 }),
      );
      const { parentId, name, sizeBytes, partSizeBytes } = start;
      return create(GetUploadResponseSchema, {
        parentId,
        name,
        sizeBytes,
        partSizeBytes,
        parts: stored,
        index: this.#index,
      });
    },
    getUser: async ({ email, userId }) => {
      this.#requireUp();
      const user = userId === 0n ? this.accounts.byEmail(email) : this.accounts.userById(userId);
      if (user === undefined) throw new HoldfastError("notFound", "There is no such account.");
      return create(GetUserResponseSchema, { user, index: this.#index });
    },
    listUsers: async () => {
      this.#requireUp();
      return create(ListUsersResponseSchema, { users: [...this.accounts.users.values()], index: this.#index });
    },
    getSession: async ({ tokenSha256 }) => {
      this.#requireUp();
      const session = this.accounts.sessionByHash(tokenSha256);
      return create(GetSessionResponseSchema, {
        session,
        user: this.accounts.userById(session.userId),
        index: this.#index,
      });
    },
    listSessions: async ({ userId }) => {
      const sessions = [...this.accounts.sessions.values()].filter((session) => session.userId === userId).reverse();
      return create(ListSessionsResponseSchema, { sessions, index: this.#index });
    },
    getClusterStatus: async () => {
      this.#requireUp();
      return this.status();
    },
    listEvents: async () => create(ListEventsResponseSchema),
    getMasterStatus: async () => create(GetMasterStatusResponseSchema),
    getStateHashes: async () => create(GetStateHashesResponseSchema),
  };

  /** Errors: notFound. */
  uploadOf(userId: bigint, uploadId: string): MemoryUpload {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined || upload.start.userId !== userId)
      throw new HoldfastError("notFound", "There is no such upload.");
    return upload;
  }

  /** Applies a change as another gateway's request would. */
  tellChange(change: Change): void {
    this.#index++;
    this.#tell([change]);
  }

  #apply(command: CommandCase, index: bigint): MemoryEffect {
    switch (command.case) {
      case "createUser": {
        const { user, isNew } = this.accounts.createUser(command.value);
        if (isNew) {
          user.rootEntryId = this.namespace.newId();
          const root = create(EntrySchema, {
            entryId: user.rootEntryId,
            ownerId: user.userId,
            kind: EntryKind.FOLDER,
            revision: index,
          });
          this.namespace.entries.set(root.entryId, root);
        }
        return { outcome: { userId: user.userId, entryId: user.rootEntryId } };
      }
      case "issueSetupToken":
        if (this.accounts.users.size > 0) throw new HoldfastError("precondition", "There is an account already.");
        this.accounts.setupTokenSha256 = toHex(command.value.tokenSha256);
        return {};
      case "startSession":
        this.accounts.startSession(command.value);
        return {};
      case "fleet":
        return { outcome: { fleet: this.fleetState.apply(command.value) } };
      case "endSession":
        return { changes: this.accounts.endSession(command.value) };
      case "changePassword":
        return { changes: this.accounts.changePassword(command.value) };
      default:
        return applyDriveCommand(this, command, index);
    }
  }

  #tell(changes: Change[]): void {
    const message = create(WatchResponseSchema, { index: this.#index, changes });
    this.#history.push(message);
    for (const watcher of this.#watchers) watcher.push(message);
  }

  #requireUp(): void {
    if (this.isDown) throw new HoldfastError("unavailable", "No master answers. Nothing was changed. Try again.");
  }
}
