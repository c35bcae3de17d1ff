import { describe } from "vitest";
import { networkCallsContract } from "./network-calls.contract.ts";
import { networkEndingsContract } from "./network-endings.contract.ts";
import { networkFlowContract } from "./network-flow.contract.ts";
import type { NetworkHarness } from "./network-harness.ts";

/** What every version of the Network port promises. */
export function networkContract(name: string, start: () => Promise<NetworkHarness>): void {
  describe(`network contract: ${name}`, () => {
    describe("calls", () => networkCallsContract(start));
    describe("endings", () => networkEndingsContract(start));
    describe("flow", () => networkFlowContract(start));
  });
}
