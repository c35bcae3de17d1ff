export { createSimNetwork } from "./sim-network.ts";
export type { SimNetwork, SimNetworkPorts } from "./sim-network.ts";
export type { SimLinkQuality } from "./sim-links.ts";
