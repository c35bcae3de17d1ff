import { createHash, randomBytes } from "node:crypto";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AdminService, DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import { testUser } from "./local-cluster.ts";

/** A signed-in user of the edge, as thin as can be: what the page and the command line do, without their care. */
export interface EdgeClient {
  readonly origin: string;
  readonly token: string;
  readonly drive: Client<typeof DriveService>;
  readonly admin: Client<typeof AdminService>;
  readonly rootId: bigint;
  /** PUT of a whole file, one attempt. */
  put(name: string, bytes: Uint8Array, options?: PutOptions): Promise<Response>;
  /** GET of a file's bytes, one attempt. */
  get(entryId: bigint, headers?: Record<string, string>): Promise<Response>;
}

/** How a file is put. */
export interface PutOptions {
  readonly parentId?: bigint;
  readonly conflict?: "fail" | "replace" | "keepBoth";
  /** Kept over retries of one wish. */
  readonly requestId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Signs in. */
export async function signIn(
  origin: string,
  user: { readonly email: string; readonly password: string } = testUser,
): Promise<EdgeClient> {
  const session = createClient(SessionService, createConnectTransport({ baseUrl: origin, httpVersion: "1.1" }));
  const answer = await session.signIn({ ...user, channel: "cli", keepSignedIn: true });
  const { token } = answer;
  const transport = createConnectTransport({
    baseUrl: origin,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("Authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  const rootId = answer.account?.rootEntryId ?? 0n;
  return {
    origin,
    token,
    rootId,
    drive: createClient(DriveService, transport),
    admin: createClient(AdminService, transport),
    put(name, bytes, options = {}) {
      const query = new URLSearchParams({
        parent: String(options.parentId ?? rootId),
        name,
        conflict: options.conflict ?? "fail",
      });
      return fetch(`${origin}/api/v1/files?${query}`, {
        method: "PUT",
        body: bytes as Uint8Array<ArrayBuffer>,
        headers: {
          Authorization: `Bearer ${token}`,
          "X-Content-SHA256": createHash("sha256").update(bytes).digest("hex"),
          "Idempotency-Key": options.requestId ?? randomBytes(16).toString("hex"),
          ...options.headers,
        },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    },
    get(entryId, headers = {}) {
      return fetch(`${origin}/api/v1/files/${entryId}/content`, {
        headers: { Authorization: `Bearer ${token}`, ...headers },
      });
    },
  };
}
