import { create } from "@bufbuild/protobuf";
import type { Logger } from "@holdfast/observability";
import type { Random } from "@holdfast/runtime";
import { toHex } from "@holdfast/base";
import {
  AbortUploadSchema,
  CommitUploadSchema,
  GetEntryRequestSchema,
  StartUploadSchema,
  StoreUploadPartSchema,
  type CommitFile,
} from "@holdfast/proto/master/v1/master";
import { onBehalfOf } from "./actor.ts";
import { executePlacing } from "./execute-placing.ts";
import { commitFile, storedFileOf, type IncomingFile, type StoredFile } from "./file-commit.ts";
import { writeGuarded, type WriteGuard } from "./guarded-write.ts";
import { requireCaller, requireSha256 } from "./incoming-bytes.ts";
import type { Caller, Masters, RequestScope } from "./ports.ts";
import { SegmentedSource } from "./segmented-source.ts";
import { writeSegments, type OnSegment } from "./write-segments.ts";

/** What `createWriteFile` needs besides the masters. */
export interface WriteFileOptions extends WriteGuard {
  /** Files up to this many bytes travel inside their event. */
  readonly inlineBytesMax: number;
  /**
   * Longer files are kept as parts of an upload on the way: the places of a chunk are held for minutes, a long upload
   * takes hours. A multiple of the chunk size.
   */
  readonly segmentBytes: number;
  readonly random: Random;
  readonly logger: Logger;
}

/** Below this many bytes a file is not worth a question to the masters before it is written. */
const earlyCheckBytesMin = 1024 * 1024;

/** A file that is too large for its event. */
export interface ChunkedFile {
  readonly caller: Caller;
  readonly file: IncomingFile;
  /** Everything but the content. */
  readonly commit: CommitFile;
  /** All of its bytes. */
  readonly source: AsyncIterable<Uint8Array>;
}

interface World {
  readonly masters: Masters;
  readonly options: WriteFileOptions;
}

/** Writes a file as chunks and commits it: in one command, or as an upload when it is longer than a segment. */
export async function writeChunked(world: World, incoming: ChunkedFile, scope: RequestScope): Promise<StoredFile> {
  const { masters, options } = world;
  const { caller, file, commit } = incoming;
  const isMaybeLong = (file.lengthBytes ?? Infinity) > options.segmentBytes;
  const source = new SegmentedSource(incoming.source, { segmentBytes: options.segmentBytes, isHashed: isMaybeLong });
  const long = new LongUpload(world, { caller, commit, sizeBytes: file.lengthBytes ?? 0 }, scope);
  const onSegment: OnSegment = async ({ number, isOnly, written }) => {
    if (!isOnly) return long.store(number, written);
    commit.chunks = [...written.chunks];
    commit.sha256 = written.sha256;
  };
  const isWorthACheck = (file.lengthBytes ?? Infinity) >= earlyCheckBytesMin;
  const check = async (inner: RequestScope): Promise<void> => {
    const request = create(GetEntryRequestSchema, { entryId: commit.parentId, userId: caller.userId });
    await masters.queries.getEntry(request, inner);
  };
  const write = (inner: RequestScope): Promise<void> =>
    writeSegments({ bytes: options.bytes, source, onSegment }, inner);
  try {
    const lengthBytes = file.lengthBytes;
    await writeGuarded(options, { write, lengthBytes, ...(isWorthACheck ? { check } : {}) }, scope);
    commit.sizeBytes = BigInt(source.sizeBytes);
    commit.sha256 = source.sha256() ?? commit.sha256;
    requireSha256(file.sha256, commit.sha256);
    requireCaller(scope.signal);
    return await (long.isBegun ? long.commit() : commitFile(masters, { caller, commit }, scope));
  } finally {
    // After a commit there is nothing left to forget, unless an earlier try of the same request was the one that counted.
    long.forget();
  }
}

interface LongFile {
  readonly caller: Caller;
  readonly commit: CommitFile;
  /** Announced; 0 when unknown. */
  readonly sizeBytes: number;
}

/** The upload behind a long file. Its id is fresh for each try; the commit carries the request id of the file. */
class LongUpload {
  readonly #world: World;
  readonly #file: LongFile;
  readonly #scope: RequestScope;
  readonly #uploadId: string;
  #begun: Promise<unknown> | undefined;

  constructor(world: World, file: LongFile, scope: RequestScope) {
    this.#world = world;
    this.#file = file;
    this.#scope = scope;
    this.#uploadId = toHex(world.options.random.bytes(16));
  }

  get isBegun(): boolean {
    return this.#begun !== undefined;
  }

  /** Keeps a segment; the first one begins the upload. */
  async store(part: number, { chunks, sizeBytes, sha256 }: Parameters<OnSegment>[0]["written"]): Promise<void> {
    const { caller } = this.#file;
    await (this.#begun ??= this.#begin());
    const content = { part, sha256, chunks: [...chunks], lengthBytes: sizeBytes };
    const value = create(StoreUploadPartSchema, { ...content, uploadId: this.#uploadId, userId: caller.userId });
    await executePlacing(this.#world.masters, { case: "storeUploadPart", value }, this.#once());
  }

  /** Makes the file visible. */
  async commit(): Promise<StoredFile> {
    const { caller, commit } = this.#file;
    const { sizeBytes, sha256 } = commit;
    const value = create(CommitUploadSchema, { uploadId: this.#uploadId, userId: caller.userId, sizeBytes, sha256 });
    const done = await this.#world.masters.execute({ case: "commitUpload", value }, onBehalfOf(caller, this.#scope));
    return storedFileOf(commit, done);
  }

  /** Frees what was kept; when that fails the upload expires by itself. Does not wait. */
  forget(): void {
    if (this.#begun === undefined) return;
    const value = create(AbortUploadSchema, { uploadId: this.#uploadId, userId: this.#file.caller.userId });
    const { masters, options } = this.#world;
    // The request may be over already; the masters' own deadline bounds this.
    const command = { ...this.#once(), signal: new AbortController().signal };
    masters.execute({ case: "abortUpload", value }, command).catch((thrown: unknown) => {
      options.logger.warn("gateway.upload_not_forgotten", { requestId: this.#scope.requestId, reason: String(thrown) });
    });
  }

  async #begin(): Promise<void> {
    const { caller, commit, sizeBytes } = this.#file;
    const { parentId, name, conflict } = commit;
    const place = { uploadId: this.#uploadId, userId: caller.userId, parentId, name, conflict };
    const partSizeBytes = this.#world.options.segmentBytes;
    const value = create(StartUploadSchema, { ...place, partSizeBytes, sizeBytes: BigInt(sizeBytes) });
    await this.#world.masters.execute({ case: "startUpload", value }, this.#once());
  }

  /** Options of a command that belongs to this try alone. */
  #once(): ReturnType<typeof onBehalfOf> {
    const requestId = toHex(this.#world.options.random.bytes(16));
    return { ...onBehalfOf(this.#file.caller, this.#scope), requestId };
  }
}
