import { createHash } from "node:crypto";
import { type HoldfastError, toHex } from "@holdfast/base";
import type { Caller, Gateway, RequestScope } from "@holdfast/gateway";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { Entry } from "@holdfast/proto/model/v1/model";
import { type Content, ModelDrive } from "./model-drive.ts";
import { type Outcome, PatientCaller, type PatientCallerParts } from "./patient-caller.ts";
import type { SharedNames } from "./shared-names.ts";
import type { WorkloadMeter } from "./workload-meter.ts";

/** What a client is made of. */
export interface SimulatedClientParts extends PatientCallerParts {
  readonly label: string;
  readonly caller: Caller;
  readonly chunkSizeBytes: number;
  readonly pauseMsMax: number;
  /** Names that all clients work on at once. */
  readonly shared: SharedNames;
  readonly meter: WorkloadMeter;
  /** No more steps than this. */
  readonly stepsMax: number;
}

const namesMax = 6;
const sharedNames = ["s-0", "s-1"] as const;

/**
 * A person with a few files, who writes, replaces, uploads in parts, renames, deletes and reads them one step at a time.
 * Everything that is read of them is compared with a model; what is done to the shared names goes into a history.
 */
export class SimulatedClient {
  readonly model = new ModelDrive();
  stepCount = 0;
  readonly #parts: SimulatedClientParts;
  readonly #patient: PatientCaller;
  #isWanted = true;
  #nextName = 0;

  constructor(parts: SimulatedClientParts) {
    this.#parts = parts;
    this.#patient = new PatientCaller(parts);
  }

  /** Works until `finish` is called; the step in progress is completed. */
  async run(): Promise<void> {
    const { process, random, pauseMsMax, stepsMax } = this.#parts;
    while (this.#isWanted && this.stepCount < stepsMax) {
      await this.#step();
      this.stepCount++;
      await process.timers.sleep(random.between(1, pauseMsMax));
    }
  }

  /** No new steps. */
  finish(): void {
    this.#isWanted = false;
  }

  /** Reads every name that was ever used; reports what is not as it must be. */
  async verifyAll(): Promise<void> {
    for (const name of this.model.allNames()) await this.#verify(name);
    for (const name of sharedNames) await this.#readShared(name);
  }

  /** Writes a new file and reads it back. */
  async writeAndRead(): Promise<void> {
    const name = this.#newName();
    await this.#write(name, ConflictPolicy.FAIL);
    await this.#verify(name);
  }

  async #step(): Promise<void> {
    const { random } = this.#parts;
    if (random.chance(0.3)) return this.#stepShared(sharedNames[random.integer(sharedNames.length)] ?? "s-0");
    const names = this.model.names();
    const name = names[random.integer(Math.max(1, names.length))];
    const choice = random.fraction();
    if (name === undefined || (choice < 0.35 && names.length < namesMax)) {
      if (random.chance(0.25)) await this.#upload(this.#newName());
      else await this.#write(this.#newName(), ConflictPolicy.FAIL);
    } else if (choice < 0.5) await this.#write(name, ConflictPolicy.REPLACE);
    else if (choice < 0.75) await this.#verify(name);
    else if (choice < 0.85) await this.#rename(name);
    else await this.#remove(name, choice < 0.93);
  }

  async #stepShared(name: string): Promise<void> {
    const choice = this.#parts.random.fraction();
    if (choice < 0.35) await this.#writeShared(name);
    else if (choice < 0.85) await this.#readShared(name);
    else await this.#removeShared(name);
  }

  async #write(name: string, conflict: ConflictPolicy): Promise<void> {
    const { caller } = this.#parts;
    const bytes = this.#draw();
    this.model.begin(new Map([[name, sha256(bytes)]]));
    const file = { parentId: caller.rootEntryId, name, conflict, lengthBytes: bytes.length };
    await this.#change(`write ${name}`, bytes.length, ({ drive }, scope) =>
      drive.writeFile(caller, { ...file, source: inPieces(bytes) }, scope),
    );
  }

  /** In parts, each repeated until it is stored; nothing may be seen before the commit. */
  async #upload(name: string): Promise<void> {
    const { caller, random } = this.#parts;
    const bytes = this.#draw(1);
    const uploadId = toHex(random.bytes(16));
    const wish = { uploadId, parentId: 0n, name, sizeBytes: BigInt(bytes.length), conflict: ConflictPolicy.FAIL };
    const started = await this.#patient.call(({ drive }, scope) => drive.uploads.start(caller, wish, scope));
    if (started.kind === "refused") return this.#refused(`start of upload ${name}`, started.error);
    const partBytes = started.value;
    for (let part = 0; part * partBytes < bytes.length; part++) {
      const source = bytes.subarray(part * partBytes, (part + 1) * partBytes);
      const stored = await this.#patient.call(({ drive }, scope) =>
        drive.uploads.storePart(caller, { uploadId, part, source: inPieces(source) }, scope),
      );
      if (stored.kind === "refused") return this.#refused(`part ${part} of upload ${name}`, stored.error);
    }
    await this.#verify(name);
    this.model.begin(new Map([[name, sha256(bytes)]]));
    const commit = { uploadId, sizeBytes: BigInt(bytes.length), sha256: fromHex(sha256(bytes)) };
    await this.#change(`upload ${name}`, bytes.length, ({ drive }, scope) =>
      drive.uploads.commit(caller, commit, scope),
    );
  }

  async #rename(name: string): Promise<void> {
    const { caller } = this.#parts;
    const entry = await this.#find(name);
    if (entry === undefined) return;
    const target = this.#newName();
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
    await this.#change(`rename ${name} to ${target}`, 0, ({ drive }, scope) => drive.moveEntry(caller, move, scope));
  }

  async #remove(name: string, isForever: boolean): Promise<void> {
    const { caller } = this.#parts;
    const entry = await this.#find(name);
    if (entry === undefined) return;
    this.model.begin(new Map([[name, undefined]]));
    await this.#change(`${isForever ? "purge" : "trash"} ${name}`, 0, ({ drive }, scope) =>
      isForever
        ? drive.purgeEntry(caller, entry.entryId, scope)
        : drive.trashEntry(caller, { entryId: entry.entryId, onlyIfEmpty: false }, scope),
    );
  }

  async #writeShared(name: string): Promise<void> {
    const { caller, shared, label, random, meter } = this.#parts;
    const bytes = this.#draw();
    const onlyIfAbsent = random.chance(0.3);
    const conflict = onlyIfAbsent ? ConflictPolicy.FAIL : ConflictPolicy.REPLACE;
    const file = { parentId: caller.rootEntryId, name, conflict, lengthBytes: bytes.length };
    const open = shared.begin(label, { kind: "write", path: name, content: sha256(bytes), onlyIfAbsent });
    const done = meter.begin(label, `${onlyIfAbsent ? "create" : "write"} ${name}`, bytes.length);
    const outcome = await this.#patient.call(({ drive }, scope) =>
      drive.writeFile(caller, { ...file, source: inPieces(bytes) }, scope),
    );
    done(outcome.kind);
    if (outcome.kind === "done") shared.end(open, { kind: "done" });
    else if (outcome.error.kind === "nameTaken") shared.end(open, { kind: "refused" });
    else this.#parts.report(`write ${name} was refused: ${outcome.error.kind}: ${outcome.error.message}`);
  }

  async #readShared(name: string): Promise<void> {
    const { shared, label } = this.#parts;
    const open = shared.begin(label, { kind: "read", path: name });
    const entry = await this.#find(name);
    shared.end(open, { kind: "content", content: entry === undefined ? undefined : toHex(entry.sha256) });
    if (entry === undefined) return;
    // Another client may have purged it meanwhile, so that there is nothing to read; other bytes there cannot be.
    const content = await this.#read(entry);
    if (content !== undefined && content !== toHex(entry.sha256))
      this.#parts.report(`${name} gave ${content.slice(0, 8)} and is said to be ${toHex(entry.sha256).slice(0, 8)}`);
  }

  async #removeShared(name: string): Promise<void> {
    const { caller, shared, label, meter } = this.#parts;
    const entry = await this.#find(name);
    if (entry === undefined) return;
    const open = shared.begin(label, { kind: "delete", path: name });
    const done = meter.begin(label, `trash ${name}`, 0);
    const outcome = await this.#patient.call(({ drive }, scope) =>
      drive.trashEntry(caller, { entryId: entry.entryId, onlyIfEmpty: false }, scope),
    );
    done(outcome.kind);
    // The entry that was found is gone already: another one may stand under the name, and nothing happened to it.
    if (outcome.kind === "refused") shared.cancel(open);
    else shared.end(open, { kind: "done" });
  }

  /** A refusal of what the model allows is a violation. */
  async #change(
    what: string,
    bytes: number,
    work: (gateway: Gateway, scope: RequestScope) => Promise<unknown>,
  ): Promise<void> {
    const done = this.#parts.meter.begin(this.#parts.label, what, bytes);
    const outcome = await this.#patient.call(work);
    done(outcome.kind);
    if (outcome.kind === "refused") {
      this.#refused(what, outcome.error);
      this.model.refuse();
    } else this.model.acknowledge();
  }

  #refused(what: string, error: HoldfastError): void {
    this.#parts.report(`${what} was refused: ${error.kind}: ${error.message}`);
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
    const outcome = await this.#patient.call(({ drive }, scope) =>
      drive.getEntry(this.#parts.caller, { entryId: 0n, path: `/${name}` }, scope),
    );
    return outcome.kind === "done" ? outcome.value.entry : this.#absent(outcome);
  }

  #absent(outcome: Extract<Outcome<unknown>, { kind: "refused" }>): undefined {
    const { kind, message } = outcome.error;
    if (kind !== "notFound") this.#parts.report(`a read was refused: ${kind}: ${message}`);
    return undefined;
  }

  /** The hash of the bytes of the version that an entry showed, through the whole read path. */
  async #read(entry: Entry): Promise<Content> {
    const { meter, label, caller } = this.#parts;
    const done = meter.begin(label, `read ${entry.name}`, Number(entry.sizeBytes));
    const { entryId, versionId } = entry;
    const outcome = await this.#patient.call(async ({ drive }, scope) => {
      const file = await drive.openFile(caller, { entryId, versionId }, scope);
      const hash = createHash("sha256");
      for await (const part of file.read({ offsetBytes: 0, lengthBytes: file.sizeBytes }, scope)) hash.update(part);
      return hash.digest("hex");
    });
    done(outcome.kind);
    return outcome.kind === "done" ? outcome.value : this.#absent(outcome);
  }

  #newName(): string {
    return `${this.#parts.label}-${this.#nextName++}`;
  }

  /** Empty, inline, one short chunk, one chunk and a bit, several chunks. */
  #draw(classMin = 0): Uint8Array {
    const { random, chunkSizeBytes } = this.#parts;
    const sizesBytes = [0, 900, 5_000, chunkSizeBytes + 100, Math.round(2.6 * chunkSizeBytes)];
    return random.bytes(sizesBytes[classMin + random.integer(sizesBytes.length - classMin)] ?? 0);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const pieceBytes = 6_000;
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
}
