import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createJsonLogger, createMetrics } from "@holdfast/observability/node";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers, runMain } from "@holdfast/runtime/node";
import type { Supervisor } from "./admin/local-nodes.ts";
import type { SetupLink } from "./auth/first-accounts.ts";
import { createArgon2PasswordHasher } from "./auth/argon2-password-hasher.ts";
import { gatewaySettings, type GatewaySettings } from "./config.ts";
import { defaultGatewayConfig, type GatewayConfig } from "./gateway-config.ts";
import { createFileSetupLink } from "./http/file-setup-link.ts";
import { readFirstAccounts } from "./http/first-accounts-from-disk.ts";
import { defaultHttpConfig, type HttpConfig } from "./http/http-config.ts";
import { createHttpHandler } from "./http/http-handler.ts";
import { startHttpServer } from "./http/http-server.ts";
import { openEnrolment, type Enrolment } from "./node/enrolment.ts";
import { buildGateway } from "./server.ts";

const clock = createNodeClock();

async function gatewayConfigOf(values: GatewaySettings, enrolment: Enrolment | undefined): Promise<GatewayConfig> {
  return {
    ...defaultGatewayConfig,
    name: values.name,
    masterAddresses: values.masters,
    clusterId: values.clusterId,
    authorityFingerprint: enrolment?.authorityFingerprint,
    firstAccounts: await readFirstAccounts(values),
    partSizeBytes: values.partSizeBytes,
    uploadsHeldBytesMax: values.uploadsHeldBytes,
  };
}

async function httpConfigOf(values: GatewaySettings): Promise<HttpConfig> {
  const hasTls = values.tlsCertificate !== "";
  const tls = hasTls
    ? { certificate: await readFile(values.tlsCertificate, "utf8"), key: await readFile(values.tlsKey, "utf8") }
    : undefined;
  return {
    ...defaultHttpConfig,
    host: values.host,
    port: values.port,
    tls,
    isSecure: hasTls || values.publicUrl.startsWith("https://"),
    webDirectory: resolve(values.webDirectory),
  };
}

function supervisorOf({ supervisor, supervisorSecretFile }: GatewaySettings): { supervisor?: Supervisor } {
  if (supervisor === "" || supervisorSecretFile === "") return {};
  return {
    supervisor: {
      address: supervisor,
      readSecret: async () => (await readFile(supervisorSecretFile, "utf8")).trim(),
    },
  };
}

function setupLinkOf(values: GatewaySettings, http: HttpConfig): SetupLink {
  if (values.runDirectory === "") return { publish: async () => undefined, withdraw: async () => undefined };
  const host = values.host === "0.0.0.0" || values.host === "::" ? "127.0.0.1" : values.host;
  const origin =
    values.publicUrl === ""
      ? `${http.isSecure ? "https" : "http"}://${host}:${values.port}`
      : values.publicUrl.replace(/\/+$/, "");
  return createFileSetupLink(resolve(values.runDirectory), origin);
}

await runMain({
  name: "holdfast-gateway",
  settings: gatewaySettings,
  createLogger: (values) =>
    createJsonLogger({ clock, levelMin: values.logLevel, fields: { role: "gateway", node: values.name } }),
  start: async (values, logger) => {
    const metrics = createMetrics();
    const ports = { clock, logger, metrics, timers: createNodeTimers(), random: createNodeRandom() };
    const enrolment = await openEnrolment(values, ports);
    const [config, http] = [await gatewayConfigOf(values, enrolment), await httpConfigOf(values)];
    const network = createGrpcNetwork({
      ...{ ...ports, isTrustedNetwork: values.trustedNetwork },
      ...(enrolment === undefined ? {} : { security: enrolment.trust }),
    });
    // The supervisor is on this machine, and speaks in the clear.
    const localNetwork = createGrpcNetwork(ports);
    const passwordHasher = createArgon2PasswordHasher(ports.random);
    const gateway = await buildGateway(config, {
      ...ports,
      network,
      localNetwork,
      passwordHasher,
      setupLink: setupLinkOf(values, http),
      ...supervisorOf(values),
    });
    const server = await startHttpServer(http, createHttpHandler(gateway, http, ports));
    logger.info("gateway.listening", { address: server.address });
    return {
      stop: async () => {
        enrolment?.stop();
        await Promise.all([gateway.stop(), server.stop()]);
        await Promise.all([network.close(), localNetwork.close()]);
      },
    };
  },
});
