export { networkContract } from "./network.contract.ts";
export type { NetworkHarness } from "./network-harness.ts";
