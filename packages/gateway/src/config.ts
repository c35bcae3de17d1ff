import { defineSettings, type SettingsOf } from "@holdfast/runtime/node";
import { defaultGatewayConfig } from "./gateway-config.ts";
import { defaultHttpConfig } from "./http/http-config.ts";

const mebibyte = 1024 * 1024;

/** Every setting of the gateway's process: flags and environment are derived from it. */
export const gatewaySettings = defineSettings({
  name: {
    type: "text",
    default: defaultGatewayConfig.name,
    help: "Name shown to people, and the actor of its own commands.",
  },
  host: { type: "text", default: defaultHttpConfig.host, help: "Address to listen on." },
  port: {
    type: "integer",
    unit: "port",
    default: defaultHttpConfig.port,
    min: 0,
    max: 65_535,
    help: "Port to listen on; 0 takes a free one.",
  },
  masters: { type: "list", help: "host:port of every master, with commas." },
  webDirectory: { type: "text", default: "packages/web/dist", help: "Directory of the built page." },
  runDirectory: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "Directory for the set-up link; empty = none is handed out.",
  },
  clusterId: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "Refuse any other cluster; empty = whichever answers.",
  },
  preset: {
    type: "choice",
    choices: ["demo", "production"],
    default: "demo",
    help: "Accepted like by the other processes; nothing depends on it here yet.",
  },
  authority: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "File with the certificate of the cluster's authority: everything inside speaks TLS.",
  },
  joinSecretFile: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "With it: file with the cluster's join secret, for which the masters give this gateway a certificate.",
  },
  trustedNetwork: {
    type: "boolean",
    default: false,
    help: "Speak in the clear to masters and nodes beyond loopback, because nobody else is on this network.",
  },
  publicUrl: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "Address people use, such as https://drive.example.org behind a proxy; empty = the one it listens on.",
  },
  tlsCertificate: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "PEM file of a certificate, to serve HTTPS; empty = plain HTTP.",
  },
  tlsKey: { type: "text", default: "", isEmptyAllowed: true, help: "PEM file of its key." },
  partSizeBytes: {
    type: "integer",
    unit: "bytes",
    default: defaultGatewayConfig.partSizeBytes,
    min: mebibyte,
    max: 256 * mebibyte,
    help: "Bytes of an upload's part; a multiple of the chunk size.",
  },
  uploadsHeldBytes: {
    type: "integer",
    unit: "bytes",
    default: defaultGatewayConfig.uploadsHeldBytesMax,
    min: 32 * mebibyte,
    max: 64 * 1024 * mebibyte,
    help: "Memory that all uploads together may hold.",
  },
  userStore: {
    type: "text",
    environment: "DFS_USER_STORE",
    default: "",
    isEmptyAllowed: true,
    help: "Accounts file imported at start; accounts that exist are kept as they are.",
  },
  defaultUserEmail: {
    type: "text",
    environment: "DFS_DEFAULT_USER_EMAIL",
    default: "",
    isEmptyAllowed: true,
    help: "First administrator, made at start if absent.",
  },
  defaultUserPassword: {
    type: "text",
    environment: "DFS_DEFAULT_USER_PASSWORD",
    default: "",
    isEmptyAllowed: true,
    isSecret: true,
    help: "Its password.",
  },
  supervisor: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "host:port of the supervisor of npm start, which starts and stops nodes here; empty = there is none.",
  },
  supervisorSecretFile: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "File that holds its secret.",
  },
  logLevel: {
    type: "choice",
    choices: ["debug", "info", "warn", "error"],
    default: "info",
    help: "Lines below are dropped.",
  },
});

/** The parsed settings. */
export type GatewaySettings = SettingsOf<typeof gatewaySettings.table>;
