import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { HoldfastError } from "@holdfast/base";
import { createJsonLogger, createMetrics, startHealthServer } from "@holdfast/observability/node";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { keepBallast } from "@holdfast/runtime";
import {
  createNodeClock,
  createNodeDisk,
  createNodeRandom,
  createNodeTimers,
  defineSettings,
  openLevelStore,
  runMain,
  type SettingsOf,
} from "@holdfast/runtime/node";
import { configFromSettings, masterSettings } from "./config.ts";
import { openCertificates } from "./node/certificates.ts";
import { buildMaster } from "./server.ts";

const clock = createNodeClock();

/** Empty = only join tokens let nodes in. Errors: `precondition` (a file that can't be read). */
async function readJoinSecret(values: SettingsOf<typeof masterSettings>): Promise<string> {
  if (values.joinSecret !== "") return values.joinSecret;
  if (values.joinSecretFile !== "") {
    try {
      return (await readFile(values.joinSecretFile, "utf8")).trim();
    } catch (cause) {
      const message = `The join secret ${values.joinSecretFile} can't be read. Nothing was changed.`;
      throw new HoldfastError("precondition", message, { cause });
    }
  }
  return "";
}

await runMain({
  name: "holdfast-master",
  settings: defineSettings(masterSettings),
  createLogger: (values) => createJsonLogger({ clock, levelMin: values.logLevel, fields: { process: values.name } }),
  start: async (values, logger) => {
    const joinSecret = await readJoinSecret(values);
    const config = configFromSettings(values, { absolutePath: (path) => resolve(path), joinSecret });
    const timers = createNodeTimers();
    const random = createNodeRandom();
    const metrics = createMetrics();
    const certificates = await openCertificates(config, values.authorityFile, { clock, timers, logger });
    const ballast = await keepBallast({
      ...{ disk: createNodeDisk(), random, timers, folder: config.data, sizeBytes: values.ballastBytes },
      onChanged: (state) => logger[state === "given" ? "warn" : "info"]("process.ballast", { state }),
    });
    const network = createGrpcNetwork({
      ...{ clock, timers, random, metrics, logger },
      isTrustedNetwork: values.trustedNetwork,
      ...(certificates === undefined ? {} : { security: certificates.trust }),
    });
    const ports = {
      clock,
      timers,
      random,
      disk: ballast.disk,
      network,
      logger,
      metrics,
      openStore: openLevelStore,
      ...(certificates === undefined ? {} : { certificates }),
    };
    const master = await buildMaster(config, ports);
    ballast.start();
    // After a failed sync nothing in memory can be trusted to be on disk; a new start reads what really is.
    master.raft.subscribe((event) => {
      if (event.kind === "diskFailed") process.exit(1);
    });
    const address = `${values.healthHost}:${values.healthPort}`;
    const health = await startHealthServer({ address, metrics, logger, readiness: () => master.readiness() });
    logger.info("master.listening", { id: config.id, address: master.address, health: health.address });
    return {
      stop: async () => {
        certificates?.stop();
        await health.stop();
        await master.stop();
        await network.close();
        ballast.stop();
      },
    };
  },
  pidFile: (values) => (values.pidFile === "" ? undefined : values.pidFile),
});
