import { setTimeout as delay } from "node:timers/promises";
import { HistoryRecorder, type History, type OpenOperation } from "@holdfast/base/linearizability";
import type { Entry } from "@holdfast/proto/model/v1/model";
import { type ContentFacts, factsOf, makeContent } from "./contents.ts";
import { EdgeSession, Refused } from "./edge-session.ts";
import type { FileRow, FolderInput, FolderOutput } from "./folder-model.ts";
import { SeededChance } from "./seeded-chance.ts";
import type { Violations } from "./violations.ts";
import { WideFolder } from "./wide-folder.ts";

/** What the clients do. */
export interface WorkloadOptions {
  readonly origins: readonly string[];
  readonly user: { readonly email: string; readonly password: string };
  readonly seed: number;
  readonly clients: number;
  readonly chunkSizeBytes: number;
  /** Mean pause of a client between two operations. */
  readonly pauseMs: number;
  /** After so long the clients go on to fresh folders; the old ones stay as they are until the end. */
  readonly epochMs: number;
  /** Files kept at most; beyond it the oldest folders are deleted for ever. */
  readonly keptBytesMax: number;
  readonly violations: Violations;
}

/** A folder that clients worked in. */
interface WorkFolder {
  readonly name: string;
  readonly folderId: bigint;
  storedBytes: number;
  /** Clients that are inside; a folder is deleted only when it is empty of them. */
  visitors: number;
}

const namesPerFolder = 8;
const foldersPerEpoch = 3;
/** So many answers the clients pretend not to have got, to repeat requests that were carried out. */
const lostAnswersShare = 0.05;

/** Several clients that write, overwrite, rename, delete, list and read files in shared folders, and note everything. */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #recorder = new HistoryRecorder<FolderInput, FolderOutput>();
  readonly #contents = new Map<string, ContentFacts>();
  readonly #abort = new AbortController();
  readonly #sessions: EdgeSession[] = [];
  readonly #folders: WorkFolder[] = [];
  readonly #purged: WorkFolder[] = [];
  #current: readonly WorkFolder[] = [];
  #wide: WideFolder | undefined;
  #running: Promise<void> = Promise.resolve();
  #isEnding = false;
  #completedCount = 0;
  #readBackCount = 0;
  /** The longest time any operation took, in ms. */
  longestOperationMs = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  /** Makes the first folders and sets the clients to work. */
  async start(): Promise<void> {
    const keeper = this.#newSession(0);
    await this.#openFolders(keeper, 0);
    const clients = Array.from({ length: this.#options.clients }, (_, index) => this.#runClient(index));
    this.#wide = new WideFolder(this.#newSession(this.#options.clients));
    const filling = this.#wide.fill(() => this.#isEnding);
    this.#running = Promise.all([this.#keepFolders(keeper), filling, ...clients]).then(() => undefined);
    // Reported by `finish`; here only kept from ending the process meanwhile.
    this.#running.catch(() => undefined);
  }

  /** Lets every client finish its operation; those that cannot within the time are cut off, their outcome unknown. */
  async finish(timeoutMs: number): Promise<void> {
    this.#isEnding = true;
    const cutOff = setTimeout(() => {
      this.#options.violations.add("stuck", `operations did not end within ${timeoutMs} ms after all faults`);
      this.#abort.abort(new Error("cut off"));
    }, timeoutMs);
    try {
      await this.#running;
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    } finally {
      clearTimeout(cutOff);
    }
  }

  /** Folders that are meant to be there, and those that are meant to be gone. */
  get folders(): { readonly kept: readonly WorkFolder[]; readonly purged: readonly WorkFolder[] } {
    return { kept: this.#folders, purged: this.#purged };
  }

  /** The folder that only grows; undefined before the start. */
  get wide(): WideFolder | undefined {
    return this.#wide;
  }

  get history(): History<FolderInput, FolderOutput> {
    return this.#recorder.history();
  }

  /** Facts of a content by its SHA-256. */
  factsOf(sha256: string): ContentFacts | undefined {
    return this.#contents.get(sha256);
  }

  /** A session like the clients', for looking after the end. */
  newSession(): EdgeSession {
    return this.#newSession(0);
  }

  /** One more operation in the history. */
  async list(session: EdgeSession, folder: WorkFolder, process: string): Promise<readonly Entry[]> {
    let entries: readonly Entry[] = [];
    await this.#record(folder, process, { kind: "list" }, async () => {
      entries = await session.list(folder.folderId);
      return { kind: "rows", rows: entries.map(rowOf) };
    });
    return entries;
  }

  counts(): {
    readonly operations: number;
    readonly filesReadBack: number;
    readonly attempts: number;
    readonly failedAttempts: ReadonlyMap<string, number>;
    readonly sentBytes: number;
    readonly receivedBytes: number;
  } {
    const failedAttempts = new Map<string, number>();
    let [attempts, sentBytes, receivedBytes] = [0, 0, 0];
    for (const { counts } of this.#sessions) {
      attempts += counts.requests;
      sentBytes += counts.sentBytes;
      receivedBytes += counts.receivedBytes;
      for (const [reason, count] of counts.failedAttempts)
        failedAttempts.set(reason, (failedAttempts.get(reason) ?? 0) + count);
    }
    return {
      operations: this.#completedCount,
      filesReadBack: this.#readBackCount,
      attempts,
      failedAttempts,
      sentBytes,
      receivedBytes,
    };
  }

  #newSession(firstGateway: number): EdgeSession {
    const { origins, user } = this.#options;
    const chance = new SeededChance(this.#options.seed, `answers-${this.#sessions.length}`);
    const isAnswerLost = (): boolean => chance.draw() < lostAnswersShare;
    const session = new EdgeSession({ origins, user, firstGateway, signal: this.#abort.signal, isAnswerLost });
    this.#sessions.push(session);
    return session;
  }

  async #openFolders(session: EdgeSession, epoch: number): Promise<void> {
    const opened: WorkFolder[] = [];
    for (let index = 0; index < foldersPerEpoch; index++) {
      const name = `work-${epoch}-${index}`;
      opened.push({ name, folderId: await session.createFolder(name), storedBytes: 0, visitors: 0 });
    }
    this.#current = opened;
    this.#folders.push(...opened);
  }

  /** Goes on to fresh folders again and again, and deletes the oldest ones when there is too much. */
  async #keepFolders(session: EdgeSession): Promise<void> {
    for (let epoch = 1; !this.#isEnding; epoch++) {
      const untilMs = performance.now() + this.#options.epochMs;
      while (performance.now() < untilMs && !this.#isEnding) await delay(100);
      if (this.#isEnding) return;
      await this.#openFolders(session, epoch);
      await this.#purgeOldest(session);
    }
  }

  async #purgeOldest(session: EdgeSession): Promise<void> {
    for (;;) {
      const keptBytes = this.#folders.reduce((sum, folder) => sum + folder.storedBytes, 0);
      const [oldest] = this.#folders;
      const isIdle = oldest !== undefined && oldest.visitors === 0 && !this.#current.includes(oldest);
      if (keptBytes <= this.#options.keptBytesMax || oldest === undefined || !isIdle) return;
      await session.purge(oldest.folderId);
      this.#folders.shift();
      this.#purged.push(oldest);
    }
  }

  async #runClient(index: number): Promise<void> {
    const chance = new SeededChance(this.#options.seed, `client-${index}`);
    const session = this.#newSession(index);
    const name = `client-${index}`;
    for (let count = 0; !this.#isEnding; count++) {
      const folder = chance.pick(this.#current);
      folder.visitors += 1;
      try {
        await this.#operate({ session, chance, folder, name, label: `${this.#options.seed}/${name}/${count}` });
      } finally {
        folder.visitors -= 1;
      }
      await delay(this.#options.pauseMs * 2 * chance.draw());
    }
  }

  async #operate(turn: Turn): Promise<void> {
    const { session, chance, folder, name } = turn;
    const draw = chance.draw();
    if (draw < 0.4) return this.#put(turn);
    const entries = await this.list(session, folder, name);
    if (entries.length === 0) return;
    const entry = chance.pick(entries);
    if (draw < 0.7) return this.#readBack(session, entry);
    const entryId = String(entry.entryId);
    if (draw < 0.88) {
      const target = `file-${chance.between(1, namesPerFolder)}`;
      await this.#record(folder, name, { kind: "rename", entryId, name: target }, async () => {
        await session.rename(entry.entryId, target);
        return { kind: "done" };
      });
      return;
    }
    const isForEver = draw < 0.94;
    await this.#record(folder, name, { kind: isForEver ? "purge" : "trash", entryId }, async () => {
      await (isForEver ? session.purge(entry.entryId) : session.trash(entry.entryId));
      return { kind: "done" };
    });
  }

  async #put({ session, chance, folder, name, label }: Turn): Promise<void> {
    const { chunkSizeBytes } = this.#options;
    const content = makeContent(label, drawSize(chance, chunkSizeBytes));
    this.#contents.set(content.sha256, factsOf(content.bytes, chunkSizeBytes));
    folder.storedBytes += content.bytes.length;
    const target = `file-${chance.between(1, namesPerFolder)}`;
    await this.#record(folder, name, { kind: "put", name: target, sha256: content.sha256 }, async () => {
      const entryId = await session.put({ folderId: folder.folderId, name: target, ...content });
      return { kind: "stored", entryId };
    });
  }

  async #readBack(session: EdgeSession, entry: Entry): Promise<void> {
    const { violations } = this.#options;
    const row = rowOf(entry);
    try {
      const sha256 = await session.hashContent(entry);
      this.#readBackCount += 1;
      if (sha256 !== row.sha256)
        violations.add("wrong bytes", `${row.name} (${row.entryId}): ${sha256}, not ${row.sha256}`);
    } catch (error) {
      // Another client may have deleted or replaced it since the list.
      if (!(error instanceof Refused) || error.reason !== "notFound") throw error;
    }
  }

  async #record(
    folder: WorkFolder,
    process: string,
    input: FolderInput,
    run: () => Promise<FolderOutput>,
  ): Promise<void> {
    const invokeAt = performance.now();
    const open: OpenOperation<FolderInput> = this.#recorder.begin({ process, key: folder.name, invokeAt, input });
    const output = await run().catch((error: unknown): FolderOutput => {
      if (error instanceof Refused) return { kind: "refused", reason: error.reason };
      throw error;
    });
    const returnAt = performance.now();
    this.#recorder.end(open, output, returnAt);
    this.#completedCount += 1;
    this.longestOperationMs = Math.max(this.longestOperationMs, returnAt - invokeAt);
  }
}

interface Turn {
  readonly session: EdgeSession;
  readonly chance: SeededChance;
  readonly folder: WorkFolder;
  readonly name: string;
  /** What the content follows from. */
  readonly label: string;
}

/** Half travels inside the log, a third is one chunk, the rest several. */
function drawSize(chance: SeededChance, chunkSizeBytes: number): number {
  const draw = chance.draw();
  if (draw < 0.5) return chance.between(32, 4096);
  if (draw < 0.85) return chance.between(4097, chunkSizeBytes);
  return chance.between(chunkSizeBytes + 1, chunkSizeBytes * 4);
}

function rowOf(entry: Entry): FileRow {
  return { entryId: String(entry.entryId), name: entry.name, sha256: Buffer.from(entry.sha256).toString("hex") };
}
