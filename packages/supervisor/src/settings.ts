import { defineSettings, type SettingsOf } from "@holdfast/runtime/node";

/** What `npm start` can be told (contract.md); flags after `npm start --`, the same names as environment variables. */
export const clusterSettings = defineSettings({
  port: { type: "integer", unit: "TCP port", min: 1, max: 65_535, default: 8080, help: "the gateway's HTTP port" },
  host: { type: "text", default: "127.0.0.1", help: "the address the gateway listens on" },
  advertiseHost: {
    type: "text",
    default: "127.0.0.1",
    help: "address of this machine at which machines that join reach it; beyond loopback everything inside speaks TLS",
  },
  data: { type: "text", default: "data", help: "folder of everything on disk, relative to where npm was called" },
  masters: { type: "choice", choices: ["1", "3", "5"], default: "3", help: "how many masters" },
  chunkservers: { type: "integer", unit: "processes", min: 1, max: 64, default: 4, help: "how many chunkservers" },
  replication: { type: "integer", unit: "copies", min: 1, max: 10, default: 3, help: "copies of a chunk" },
  basePort: {
    type: "integer",
    unit: "TCP port",
    min: 0,
    max: 65_000,
    default: 0,
    help: "first of the inner ports; 0 = any free ones",
  },
  chunkSizeBytes: {
    type: "integer",
    unit: "bytes",
    min: 1_048_576,
    max: 67_108_864,
    default: 4_194_304,
    help: "bytes of a full chunk; fixed by the first start",
  },
  preset: { type: "choice", choices: ["demo", "production"], default: "demo", help: "times and rates" },
  noRestart: { type: "boolean", default: false, help: "leave a process that died as it is" },
});

/** Parsed settings of a local cluster. */
export type ClusterSettings = SettingsOf<typeof clusterSettings.table>;
