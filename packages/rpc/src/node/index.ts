export { createGrpcNetwork } from "./grpc-network.ts";
export type { GrpcNetworkOptions } from "./grpc-network.ts";
export { isLoopback } from "./network-security.ts";
export type { NetworkSecurity, TlsCredentials } from "./network-security.ts";
