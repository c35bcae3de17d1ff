import { createHash, randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { StartUploadRequest } from "@holdfast/proto/drive/v1/drive";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { GetUploadResponseSchema, type GetUploadResponse } from "@holdfast/proto/master/v1/master";
import type { Entry } from "@holdfast/proto/model/v1/model";
import { Faults } from "./faults.ts";
import { MemoryCluster } from "./memory-cluster.ts";
import { MemoryDrive } from "./memory-drive.ts";
import { Refusal } from "./refusal.ts";

/** An upload in parts. */
interface MemoryUpload {
  readonly request: StartUploadRequest;
  readonly parts: Map<number, Uint8Array>;
}

/** Everything the memory gateway remembers. */
export class MemoryState {
  readonly nowMs = (): number => Date.now();
  readonly drive = new MemoryDrive(this.nowMs);
  readonly cluster = new MemoryCluster(this.drive, this.nowMs);
  readonly faults = new Faults((waitMs) => this.sleep(waitMs));
  readonly accounts = new Map<string, { readonly password: string; readonly isAdmin: boolean }>();
  readonly uploads = new Map<string, MemoryUpload>();
  setUpToken = "set-up-token";
  partSizeBytes = 8_388_608;
  /** Parts stored so far; tests set it back. */
  partsReceived = 0;
  /** Open change feeds. */
  watcherCount = 0;
  /** Drive calls so far. */
  calls = 0;
  readonly #sessions = new Map<string, string>();
  readonly #outcomes = new Map<string, Entry>();

  account(email: string): { userId: bigint; email: string; isAdmin: boolean; rootEntryId: bigint } {
    return { userId: 1n, email, isAdmin: this.accounts.get(email)?.isAdmin === true, rootEntryId: 1n };
  }

  startSession(email: string): string {
    const token = randomBytes(16).toString("hex");
    this.#sessions.set(token, email);
    return token;
  }

  endSession(headers: Headers): void {
    this.#sessions.delete(tokenOf(headers));
  }

  /** Ends all of them, as a revocation does. */
  endAllSessions(): void {
    this.#sessions.clear();
  }

  /** Who calls, or a refusal. */
  emailOf(headers: Headers): string {
    const email = this.#sessions.get(tokenOf(headers));
    if (email === undefined) throw new Refusal("unauthenticated", "Nobody is signed in.");
    return email;
  }

  /** The first outcome for a request id, for every retry. */
  once(requestId: string, decide: () => Entry): Entry {
    const first = this.#outcomes.get(requestId);
    if (first !== undefined) return first;
    const outcome = decide();
    this.#outcomes.set(requestId, outcome);
    return outcome;
  }

  startUpload(request: StartUploadRequest): void {
    if (this.uploads.has(request.uploadId)) return;
    this.drive.checkName(request.parentId, request.name, request.conflict);
    this.uploads.set(request.uploadId, { request, parts: new Map() });
  }

  putPart(uploadId: string, part: number, bytes: Uint8Array, sha256: string | undefined): void {
    const upload = this.#upload(uploadId);
    if (sha256 !== undefined && createHash("sha256").update(bytes).digest("hex") !== sha256)
      throw new Refusal("checksumMismatch", "The part was damaged on its way. It was not stored; send it again.");
    upload.parts.set(part, bytes);
    this.partsReceived += 1;
  }

  describeUpload(uploadId: string): GetUploadResponse {
    const { request, parts } = this.#upload(uploadId);
    const stored = [...parts]
      .sort(([left], [right]) => left - right)
      .map(([part, bytes]) => ({
        part,
        lengthBytes: bytes.length,
        sha256: createHash("sha256").update(bytes).digest(),
      }));
    return create(GetUploadResponseSchema, {
      parentId: request.parentId,
      name: request.name,
      sizeBytes: request.sizeBytes,
      partSizeBytes: this.partSizeBytes,
      parts: stored,
    });
  }

  commitUpload(uploadId: string): Entry {
    return this.once(uploadId, () => {
      const { request, parts } = this.#upload(uploadId);
      const bytes = Buffer.concat([...parts].sort(([left], [right]) => left - right).map(([, part]) => part));
      if (bytes.length !== Number(request.sizeBytes))
        throw new Refusal("precondition", "Parts of this upload are missing. What was sent is kept; send the rest.");
      return this.drive.createFile(request.parentId, request.name, {
        bytes,
        conflict: request.conflict === ConflictPolicy.UNSPECIFIED ? ConflictPolicy.FAIL : request.conflict,
      });
    });
  }

  /** Resolves at the next change behind `seenIndex`, after 2 s without one, or when the call ends. */
  nextChange(signal: AbortSignal, seenIndex: number): Promise<void> {
    if ((this.drive.log.at(-1)?.index ?? 0) > seenIndex) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(finish, 2000);
      const stop = this.drive.onChange(finish);
      signal.addEventListener("abort", finish, { once: true });
    });
  }

  sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #upload(uploadId: string): MemoryUpload {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined) throw new Refusal("notFound", "This upload is not known any more. Start it again.");
    return upload;
  }
}

function tokenOf(headers: Headers): string {
  return /(?:^|;\s*)holdfast-sid=([0-9a-f]+)/.exec(headers.get("cookie") ?? "")?.[1] ?? "";
}
