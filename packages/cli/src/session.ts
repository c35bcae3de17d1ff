import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { DescService } from "@bufbuild/protobuf";
import { AdminService, DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import { toHoldfastError } from "./exit-code.ts";
import { loadProfile, type Profile } from "./profile.ts";

/** A signed-in connection to a gateway. */
export interface Session {
  readonly profile: Profile;
  readonly drive: Client<typeof DriveService>;
  readonly account: Client<typeof SessionService>;
  readonly admin: Client<typeof AdminService>;
  readonly fleet: Client<typeof FleetQueryService>;
}

/** Opens the stored profile's connection. Makes no call yet. */
export async function openSession(): Promise<Session> {
  const profile = await loadProfile();
  return {
    profile,
    drive: edgeClient(DriveService, profile),
    account: edgeClient(SessionService, profile),
    admin: edgeClient(AdminService, profile),
    fleet: edgeClient(FleetQueryService, profile),
  };
}

/** A client for one edge service; its calls reject with `HoldfastError` and nothing else. */
export function edgeClient<S extends DescService>(
  service: S,
  profile: { readonly server: string; readonly token?: string },
): Client<S> {
  const authorise: Interceptor = (next) => (request) => {
    if (profile.token !== undefined) request.header.set("Authorization", `Bearer ${profile.token}`);
    return next(request);
  };
  const transport = createConnectTransport({
    baseUrl: profile.server,
    httpVersion: "1.1",
    interceptors: [authorise],
    useBinaryFormat: true,
  });
  // The library turns whatever an interceptor throws into its own error, so ours is made outside of it.
  const client: Client<S> = createClient(service, transport);
  return new Proxy(client, {
    get(target, name, receiver) {
      const call: unknown = Reflect.get(target, name, receiver);
      if (typeof call !== "function") return call;
      return async (...words: readonly unknown[]): Promise<unknown> => {
        try {
          return await (Reflect.apply(call, target, words) as Promise<unknown>);
        } catch (error) {
          throw toHoldfastError(error);
        }
      };
    },
  });
}
