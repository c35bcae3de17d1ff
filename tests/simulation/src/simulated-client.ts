import { createHash } from "node:crypto";
import { type HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import type { Caller, Drive, RequestScope } from "@holdfast/gateway";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { Entry } from "@holdfast/proto/model/v1/model";
import type { SeededRandom, SimProcess } from "@holdfast/runtime/sim";
import { type Content, ModelDrive } from "./model-drive.ts";

/** A drive to work on at this moment; undefined while no gateway runs. */
export type CurrentDrive = () => Drive | undefined;

/** What a client is made of. */
export interface SimulatedClientParts {
  readonly label: string;
  readonly process: SimProcess;
  readonly random: SeededRandom;
  readonly drive: CurrentDrive;
  readonly caller: Caller;
  readonly report: (violation: string) => void;
}

const attemptTimeoutMs = 4_000;
const retryDelayMs = 100;
const namesMax = 6;
/** Empty, inline, one short chunk, one chunk and a bit, several chunks (with chunks of 64 KiB). */
const sizesBytes = [0, 900, 9_000, 66_000, 140_000];

/** What an attempt came to. */
type Attempt<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly error: HoldfastError }
  | { readonly kind: "again" };

/**
 * A person with a few files, who writes, replaces, renames, deletes and reads them one step at a time, and repeats a
 * step under the same request id until it is answered. Everything that is read is compared with the model.
 */
export class SimulatedClient {
  readonly model = new ModelDrive();
  operationCount = 0;
  readonly #parts: SimulatedClientParts;
  #isWanted = true;
  #nextName = 0;

  constructor(parts: SimulatedClientParts) {
    this.#parts = parts;
  }

  /** Works until `finish` is called; the step in progress is completed. */
  async run(): Promise<void> {
    const { process, random } = this.#parts;
    while (this.#isWanted) {
      await this.#step();
      this.operationCount++;
      await process.timers.sleep(random.between(1, 250));
    }
  }

  /** No new steps. */
  finish(): void {
    this.#isWanted = false;
  }

  /** Reads every name that was ever used; reports what is not as it must be. */
  async verifyAll(): Promise<void> {
    for (const name of this.model.allNames()) await this.#verify(name);
  }

  async #step(): Promise<void> {
    const { random } = this.#parts;
    const names = this.model.names();
    const name = names[random.integer(Math.max(1, names.length))];
    const choice = random.fraction();
    if (name === undefined || (choice < 0.35 && names.length < namesMax))
      await this.#write(`${this.#parts.label}-${this.#nextName++}`);
    else if (choice < 0.5) await this.#write(name);
    else if (choice < 0.75) await this.#verify(name);
    else if (choice < 0.85) await this.#rename(name);
    else await this.#remove(name, choice < 0.93);
  }

  async #write(name: string): Promise<void> {
    const { random, caller } = this.#parts;
    const bytes = random.bytes(sizesBytes[random.integer(sizesBytes.length)] ?? 0);
    this.model.begin(new Map([[name, sha256(bytes)]]));
    const file = { parentId: caller.rootEntryId, name, conflict: ConflictPolicy.REPLACE, lengthBytes: bytes.length };
    await this.#change(`write ${name}`, (drive, scope) =>
      drive.writeFile(caller, { ...file, source: inPieces(bytes) }, scope),
    );
  }

  async #rename(name: string): Promise<void> {
    const { caller } = this.#parts;
    const entry = await this.#find(name);
    if (entry === undefined) return;
    const target = `${this.#parts.label}-${this.#nextName++}`;
    const content = await this.#read(entry);
    this.model.begin(
      new Map<string, Content>([
        [name, undefined],
        [target, content],
      ]),
    );
    const move = {
      entryId: entry.entryId,
      targetParentId: 0n,
      targetName: target,
      ifRevision: 0n,
      conflict: ConflictPolicy.FAIL,
    };
    await this.#change(`rename ${name}`, (drive, scope) => drive.moveEntry(caller, move, scope));
  }

  async #remove(name: string, isForever: boolean): Promise<void> {
    const { caller } = this.#parts;
    const entry = await this.#find(name);
    if (entry === undefined) return;
    this.model.begin(new Map([[name, undefined]]));
    await this.#change(`remove ${name}`, (drive, scope) =>
      isForever
        ? drive.purgeEntry(caller, entry.entryId, scope)
        : drive.trashEntry(caller, { entryId: entry.entryId, onlyIfEmpty: false }, scope),
    );
  }

  /** Repeats one wish under one request id until it is answered. A refusal of what the model allows is a violation. */
  async #change(what: string, work: (drive: Drive, scope: RequestScope) => Promise<unknown>): Promise<void> {
    const outcome = await this.#persistently(work);
    if (outcome.kind === "refused") {
      this.#parts.report(`${what} was refused: ${outcome.error.kind}: ${outcome.error.message}`);
      this.model.refuse();
    } else this.model.acknowledge();
  }

  async #verify(name: string): Promise<void> {
    const entry = await this.#find(name);
    const content = entry === undefined ? undefined : await this.#read(entry);
    if (!this.model.allows(name, content)) {
      this.#parts.report(
        `${name} holds ${content?.slice(0, 8) ?? "nothing"}, and must hold ${this.model.describe(name)}`,
      );
    }
  }

  async #find(name: string): Promise<Entry | undefined> {
    const outcome = await this.#persistently((drive, scope) =>
      drive.getEntry(this.#parts.caller, { entryId: 0n, path: `/${name}` }, scope),
    );
    return outcome.kind === "done" ? outcome.value.entry : this.#absent(outcome.error);
  }

  #absent(error: HoldfastError): undefined {
    if (error.kind !== "notFound") this.#parts.report(`a read was refused: ${error.kind}: ${error.message}`);
    return undefined;
  }

  /** The hash of an entry's bytes, through the whole read path. */
  async #read(entry: Entry): Promise<Content> {
    const outcome = await this.#persistently(async (drive, scope) => {
      const file = await drive.openFile(this.#parts.caller, { entryId: entry.entryId, versionId: 0n }, scope);
      const hash = createHash("sha256");
      for await (const part of file.read({ offsetBytes: 0, lengthBytes: file.sizeBytes }, scope)) hash.update(part);
      return hash.digest("hex");
    });
    return outcome.kind === "done" ? outcome.value : this.#absent(outcome.error);
  }

  async #persistently<T>(
    work: (drive: Drive, scope: RequestScope) => Promise<T>,
  ): Promise<Exclude<Attempt<T>, { kind: "again" }>> {
    const requestId = toHex(this.#parts.random.bytes(16));
    for (;;) {
      const attempt = await this.#attempt(work, requestId);
      if (attempt.kind !== "again") return attempt;
      await this.#parts.process.timers.sleep(retryDelayMs);
    }
  }

  /** One try with a deadline: a gateway that dies answers nothing at all. */
  #attempt<T>(work: (drive: Drive, scope: RequestScope) => Promise<T>, requestId: string): Promise<Attempt<T>> {
    const drive = this.#parts.drive();
    if (drive === undefined) return Promise.resolve({ kind: "again" });
    return new Promise((resolve) => {
      const controller = new AbortController();
      const timer = this.#parts.process.timers.after(attemptTimeoutMs, () => {
        controller.abort();
        resolve({ kind: "again" });
      });
      const settle = (attempt: Attempt<T>): void => {
        timer.cancel();
        resolve(attempt);
      };
      work(drive, { requestId, signal: controller.signal }).then(
        (value) => settle({ kind: "done", value }),
        (error: unknown) => settle(this.#judge(error)),
      );
    });
  }

  #judge(error: unknown): { readonly kind: "refused"; readonly error: HoldfastError } | { readonly kind: "again" } {
    if (isHoldfastError(error, "unavailable", "notLeader", "tooBusy", "deadline", "cancelled", "noSpace", "dataLoss"))
      return { kind: "again" };
    if (isHoldfastError(error)) return { kind: "refused", error };
    this.#parts.report(
      `a bug came out of the drive: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return { kind: "again" };
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const pieceBytes = 50_000;
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
}
