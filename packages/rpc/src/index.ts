export { codeByKind, errorKindFromWire, errorKindToWire, grpcStatus, retryClassOf } from "./errors/code-table.ts";
export type { RetryClass } from "./errors/code-table.ts";
export { createLeaderCaller } from "./leader-client.ts";
export type { LeaderCall, LeaderCaller, LeaderCallerOptions, LeaderCallOptions } from "./leader-client.ts";
export type { Listener, Network } from "./network.ts";
export { describeIdentity, identityOfUri, uriOfIdentity } from "./peer-identity.ts";
export type { PeerIdentity, PeerRole } from "./peer-identity.ts";
export { serve } from "./service.ts";
export type {
  CallContext,
  CallOptions,
  ClientMethod,
  MethodHandler,
  ServedService,
  ServiceClient,
  ServiceHandlers,
} from "./service.ts";
