export { clockTimersContract } from "./clock-timers.contract.ts";
export type { ClockTimersHarness } from "./clock-timers.contract.ts";
export { diskContract } from "./disk.contract.ts";
export type { DiskHarness } from "./disk.contract.ts";
export { keyValueStoreContract } from "./key-value-store.contract.ts";
export type { KeyValueStoreHarness } from "./key-value-store.contract.ts";
