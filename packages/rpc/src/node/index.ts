export { createGrpcNetwork } from "./grpc-network.ts";
export type { GrpcNetworkOptions } from "./grpc-network.ts";
