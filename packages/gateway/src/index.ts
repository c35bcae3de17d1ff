export { assembleGateway } from "./build-gateway.ts";
export type { Gateway, GatewayParts } from "./build-gateway.ts";
export { createMemoryPasswordHasher } from "./auth/memory-password-hasher.ts";
export type { PasswordHasher } from "./auth/password-hasher.ts";
export type { FirstAccounts, SetupLink } from "./auth/first-accounts.ts";
export { defaultGatewayConfig } from "./gateway-config.ts";
export type { GatewayConfig } from "./gateway-config.ts";
export type { ByteRange, Caller, RequestScope } from "./drive/ports.ts";
