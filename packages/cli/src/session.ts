import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { DescService } from "@bufbuild/protobuf";
import { AdminService, DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import { toHoldfastError } from "./exit-code.ts";
import { loadProfile, type Profile } from "./profile.ts";

/** A signed-in connection to a gateway. */
export interface Session {
  readonly profile: Profile;
  readonly drive: Client<typeof DriveService>;
  readonly account: Client<typeof SessionService>;
  readonly admin: Client<typeof AdminService>;
}

/** Opens the stored profile's connection. Makes no call yet. */
export async function openSession(): Promise<Session> {
  const profile = await loadProfile();
  return {
    profile,
    drive: edgeClient(DriveService, profile),
    account: edgeClient(SessionService, profile),
    admin: edgeClient(AdminService, profile),
  };
}

/** A client for one edge service; errors come out as `HoldfastError`. */
export function edgeClient<S extends DescService>(
  service: S,
  profile: { readonly server: string; readonly token?: string },
): Client<S> {
  const authorise: Interceptor = (next) => async (request) => {
    if (profile.token !== undefined) request.header.set("Authorization", `Bearer ${profile.token}`);
    try {
      return await next(request);
    } catch (error) {
      throw toHoldfastError(error);
    }
  };
  return createClient(
    service,
    createConnectTransport({
      baseUrl: profile.server,
      httpVersion: "1.1",
      interceptors: [authorise],
      useBinaryFormat: true,
    }),
  );
}
