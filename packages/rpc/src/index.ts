export type { Listener, Network } from "./network.ts";
export { serve } from "./service.ts";
export type { CallContext, CallOptions, ClientMethod, MethodHandler, ServedService, ServiceClient, ServiceHandlers } from "./service.ts";
