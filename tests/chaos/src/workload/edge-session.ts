import { setTimeout as delay } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AdminService, DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import type { Entry } from "@holdfast/proto/model/v1/model";
import { sha256Of } from "./contents.ts";

/** The cluster said no, and a repetition would not change it. */
export class Refused extends Error {
  /** "notFound", "nameTaken" or what else it said. */
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Counts of one client. */
export interface SessionCounts {
  requests: number;
  /** Attempts that failed and were repeated, by what they said. */
  readonly failedAttempts: Map<string, number>;
  signIns: number;
  sentBytes: number;
  receivedBytes: number;
}

interface Gateway {
  readonly origin: string;
  readonly session: Client<typeof SessionService>;
  readonly drive: Client<typeof DriveService>;
  readonly admin: Client<typeof AdminService>;
}

/** One attempt, and how it is told apart from the others. */
export interface AttemptContext {
  readonly gateway: Gateway;
  readonly signal: AbortSignal;
}

/** How a session behaves. */
export interface EdgeSessionOptions {
  readonly origins: readonly string[];
  readonly user: { readonly email: string; readonly password: string };
  /** Which gateway to begin with; failures go on to the next. */
  readonly firstGateway: number;
  readonly attemptTimeoutMs?: number;
  /** Whether to pretend that an answer was lost, and so to repeat a request that was carried out. Default: never. */
  readonly isAnswerLost?: () => boolean;
  /** Told of every attempt that failed and is repeated. */
  readonly onFailedAttempt?: (reason: string) => void;
  /** Ends all attempts; what was under way then has an unknown outcome. */
  readonly signal: AbortSignal;
}

const retryDelayMsMin = 30;
/** Repeating faster would only take time from a cluster that is coming back. */
const retryDelayMsMax = 500;

/**
 * A careful client of the edge: it knows all gateways, repeats a request under the same id at the next one until it has
 * an answer, and so knows the outcome of everything it asked for.
 */
export class EdgeSession {
  readonly counts: SessionCounts = {
    requests: 0,
    failedAttempts: new Map(),
    signIns: 0,
    sentBytes: 0,
    receivedBytes: 0,
  };
  readonly #options: EdgeSessionOptions;
  readonly #gateways: readonly Gateway[];
  #at: number;
  #token = "";

  constructor(options: EdgeSessionOptions) {
    this.#options = options;
    this.#at = options.firstGateway;
    this.#gateways = options.origins.map((origin) => {
      const transport = createConnectTransport({
        baseUrl: origin,
        httpVersion: "1.1",
        interceptors: [
          (next) => (request) => {
            if (this.#token !== "") request.header.set("Authorization", `Bearer ${this.#token}`);
            return next(request);
          },
        ],
      });
      return {
        origin,
        session: createClient(SessionService, transport),
        drive: createClient(DriveService, transport),
        admin: createClient(AdminService, transport),
      };
    });
  }

  async createFolder(name: string, parentId = 0n): Promise<bigint> {
    const request = { requestId: newRequestId(), parentId, name, keepExisting: true };
    const answer = await this.ask(({ gateway, signal }) => gateway.drive.createFolder(request, { signal }));
    return answer.entry?.entryId ?? 0n;
  }

  /** Stores or replaces a file; returns its entry id. */
  async put(file: {
    readonly folderId: bigint;
    readonly name: string;
    readonly bytes: Uint8Array;
    readonly sha256: string;
    /** Default: replace. */
    readonly conflict?: "replace" | "keepBoth";
  }): Promise<string> {
    const conflict = file.conflict ?? "replace";
    const query = new URLSearchParams({ parent: String(file.folderId), name: file.name, conflict });
    const requestId = newRequestId();
    const answer = await this.ask(async ({ gateway, signal }) => {
      this.counts.sentBytes += file.bytes.length;
      const response = await fetch(`${gateway.origin}/api/v1/files?${query}`, {
        method: "PUT",
        body: file.bytes as Uint8Array<ArrayBuffer>,
        headers: { ...this.#authorization(), "X-Content-SHA256": file.sha256, "Idempotency-Key": requestId },
        signal,
      });
      const text = await response.text();
      if (!response.ok) throw new HttpFailure(response.status, text);
      return JSON.parse(text) as { readonly entryId: string };
    });
    return answer.entryId;
  }

  /** All bytes of one version of a file; their SHA-256 in hex. */
  async hashContent(entry: Pick<Entry, "entryId" | "versionId" | "sizeBytes">): Promise<string> {
    return this.ask(async ({ gateway, signal }) => {
      const url = `${gateway.origin}/api/v1/files/${entry.entryId}/content?version=${entry.versionId}`;
      const response = await fetch(url, { headers: this.#authorization(), signal });
      if (!response.ok) throw new HttpFailure(response.status, await response.text());
      const bytes = new Uint8Array(await response.arrayBuffer());
      this.counts.receivedBytes += bytes.length;
      return sha256Of(bytes);
    });
  }

  /** A folder as it is at one moment. Folders here are small: one page holds all. */
  async list(folderId: bigint): Promise<readonly Entry[]> {
    const answer = await this.ask(({ gateway, signal }) =>
      gateway.drive.listFolder({ folderId, limit: 1000 }, { signal }),
    );
    return answer.entries;
  }

  async rename(entryId: bigint, targetName: string): Promise<void> {
    const request = { requestId: newRequestId(), entryId, targetName };
    await this.ask(({ gateway, signal }) => gateway.drive.moveEntry(request, { signal }));
  }

  async trash(entryId: bigint): Promise<void> {
    const request = { requestId: newRequestId(), entryId };
    await this.ask(({ gateway, signal }) => gateway.drive.trashEntry(request, { signal }));
  }

  async purge(entryId: bigint): Promise<void> {
    const request = { requestId: newRequestId(), entryId };
    await this.ask(({ gateway, signal }) => gateway.drive.purgeEntry(request, { signal }));
  }

  /** Repeats an attempt at one gateway after the other until it is answered. Throws `Refused`, or the abort's reason. */
  async ask<T>(attempt: (context: AttemptContext) => Promise<T>): Promise<T> {
    const { signal: runSignal, attemptTimeoutMs = 8_000 } = this.#options;
    this.counts.requests += 1;
    let isLossPossible = true;
    for (let failures = 0; ; failures++) {
      runSignal.throwIfAborted();
      const gateway = this.#gateways[this.#at % this.#gateways.length];
      if (gateway === undefined) throw new Error("there is no gateway");
      const signal = AbortSignal.any([runSignal, AbortSignal.timeout(attemptTimeoutMs)]);
      try {
        if (this.#token === "") await this.#signIn(gateway, signal);
        const answer = await attempt({ gateway, signal });
        if (isLossPossible && this.#options.isAnswerLost?.() === true) throw new AnswerLost();
        return answer;
      } catch (error) {
        runSignal.throwIfAborted();
        if (error instanceof AnswerLost) isLossPossible = false;
        const failure = describeFailure(error);
        if (failure.kind === "refused") throw new Refused(failure.reason, String(error));
        const { failedAttempts } = this.counts;
        failedAttempts.set(failure.reason, (failedAttempts.get(failure.reason) ?? 0) + 1);
        this.#options.onFailedAttempt?.(failure.reason);
        if (failure.reason === "unauthenticated") this.#token = "";
        this.#at += 1;
        const delayMs = Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** failures);
        await delay(delayMs, undefined, { signal: runSignal });
      }
    }
  }

  async #signIn(gateway: Gateway, signal: AbortSignal): Promise<void> {
    const request = { ...this.#options.user, channel: "cli", keepSignedIn: true };
    const answer = await gateway.session.signIn(request, { signal });
    this.counts.signIns += 1;
    this.#token = answer.token;
  }

  #authorization(): Record<string, string> {
    return { Authorization: `Bearer ${this.#token}` };
  }
}

/** As if the connection had broken after the request was carried out. */
class AnswerLost extends Error {
  override readonly name = "AnswerLost";
}

class HttpFailure extends Error {
  readonly status: number;
  readonly kind: string;

  constructor(status: number, body: string) {
    super(`HTTP ${status} ${body.slice(0, 300)}`);
    this.status = status;
    this.kind = /"kind":\s*"(\w+)"/.exec(body)?.[1] ?? `HTTP ${status}`;
  }
}

type Failure = { readonly kind: "refused" | "again"; readonly reason: string };

const refusedCodes: ReadonlyMap<Code, string> = new Map([
  [Code.NotFound, "notFound"],
  [Code.AlreadyExists, "nameTaken"],
  [Code.FailedPrecondition, "precondition"],
  [Code.InvalidArgument, "invalidArgument"],
  [Code.PermissionDenied, "denied"],
]);

/** Whether a repetition may help: it does after everything that is about the moment and not about the request. */
function describeFailure(error: unknown): Failure {
  if (error instanceof HttpFailure) {
    const isAboutMoment = error.status >= 500 || error.status === 429 || error.status === 401 || error.status === 408;
    return { kind: isAboutMoment ? "again" : "refused", reason: error.kind };
  }
  if (error instanceof ConnectError) {
    const refusal = refusedCodes.get(error.code);
    if (refusal !== undefined) return { kind: "refused", reason: refusal };
    return { kind: "again", reason: error.code === Code.Unauthenticated ? "unauthenticated" : Code[error.code] };
  }
  if (error instanceof Error) {
    const cause = error.cause as NodeJS.ErrnoException | undefined;
    return { kind: "again", reason: cause?.code ?? error.name };
  }
  return { kind: "again", reason: "unknown" };
}

function newRequestId(): string {
  return randomBytes(16).toString("hex");
}
