import { create } from "@bufbuild/protobuf";
import { toHex } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { CommandService, ExecuteRequestSchema } from "@holdfast/proto/master/v1/master";
import type { Network } from "@holdfast/rpc";
import type { Random } from "@holdfast/runtime";

const answerTimeoutMs = 5000;

/** A copy that is whole by its own checksums and has other bytes than the log says. */
export interface BadSource {
  readonly chunkId: number;
  readonly nodeId: number;
}

/** What telling the leader works with. */
export interface BadSourceReporterOptions {
  readonly network: Network;
  readonly random: Random;
  readonly logger: Logger;
  /** This node's id. */
  readonly nodeId: () => number;
  /** host:port of the leader that knows this node; undefined while there is none. */
  readonly leaderAddress: () => string | undefined;
}

/**
 * Tells the leader of a bad source, once and without waiting: whoever meets the copy next tells it again. The masters
 * never take the last copy that counts away on it.
 */
export function createBadSourceReporter(options: BadSourceReporterOptions): (bad: BadSource) => void {
  const { network, random, logger, nodeId, leaderAddress } = options;
  return (bad) => {
    const address = leaderAddress();
    if (address === undefined) return;
    const value = { chunkId: BigInt(bad.chunkId), nodeId: bad.nodeId, reason: "corrupt" };
    const request = create(ExecuteRequestSchema, {
      requestId: toHex(random.bytes(16)),
      actor: `node:${nodeId()}`,
      command: { command: { case: "reportBadReplica", value } },
    });
    network
      .client(CommandService, address)
      .execute(request, { timeoutMs: answerTimeoutMs })
      .catch((error: unknown) => logger.info("chunkserver.bad_source_not_reported", { ...bad, reason: String(error) }));
  };
}
