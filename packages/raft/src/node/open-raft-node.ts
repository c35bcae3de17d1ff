import { assert, HoldfastError } from "@holdfast/base";
import type { RaftConfig, RaftNode, RaftPorts, StateMachine } from "../api.ts";
import { createRaft } from "../core/create-raft.ts";
import { productSwitches, type Config } from "../core/config.ts";
import type { Membership, SnapshotMeta } from "../core/entries.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import type { LogBoot } from "../log-store/log-store.ts";
import { openFileLogStore } from "../log-store/open-file-log-store.ts";
import { NetworkTransport } from "../transport/network-transport.ts";
import { NodeMetrics } from "./node-metrics.ts";
import { RaftShell } from "./raft-node.ts";
import { resolveSettings, type RaftSettings } from "./settings.ts";

/**
 * Recovers a node from its directory, or makes a new one. The node takes part in nothing until `start()`.
 *
 *   const raft = await openRaftNode(config, ports, stateMachine);
 *   const listener = await network.listen(address, [...raft.services, ...otherServices]);
 *   raft.start();
 *
 * Errors: `wrongCluster` when the directory belongs to another cluster or peer; `precondition` when another process has
 * it open or `config` is not sound; `dataLoss` when the log is damaged before its tail, or the state machine does not fit
 * it; `diskFailed`, `noSpace`.
 */
export async function openRaftNode(
  config: RaftConfig,
  ports: RaftPorts,
  stateMachine: StateMachine,
): Promise<RaftNode> {
  const settings = resolveSettings(config.settings);
  const founding = foundingOf(config);
  const metrics = new NodeMetrics(ports.metrics);
  const logger = ports.logger.child({ component: "raft", peer: config.id });
  const { store } = await openFileLogStore({
    ...ports,
    logger,
    directory: config.directory,
    clusterId: config.clusterId,
    peer: config.id,
    founding,
    segmentBytesMax: settings.segmentBytesMax,
    windowBytesMax: settings.recentBytesMax,
    onSynced: (sync) => metrics.synced(sync),
  });
  try {
    checkFit(config, store.boot, stateMachine.appliedIndex());
  } catch (error) {
    await store.close();
    throw error;
  }
  const core = createRaft(
    coreConfig(config.id, settings),
    { ...store.boot, appliedIndex: stateMachine.appliedIndex() },
    () => ports.random.fraction(),
  );
  const transport = new NetworkTransport({
    ...ports,
    logger,
    clusterId: config.clusterId,
    self: config.id,
    peers: config.peers.filter(({ id }) => id !== config.id),
    queue: { messagesMax: settings.peerQueueMessagesMax, bytesMax: settings.peerQueueBytesMax },
    reconnectMsMin: settings.reconnectMsMin,
    reconnectMsMax: settings.reconnectMsMax,
    everyoneHas: () => node.everyoneHasIndex,
  });
  const node = new RaftShell({
    config,
    settings,
    ports: { ...ports, logger },
    core,
    store,
    transport,
    stateMachine,
    metrics,
  });
  return node;
}

/**
 * `openRaftNode` and `start()` in one. For callers that listen afterwards: peers try again until the services are there.
 * Errors: as `openRaftNode`.
 */
export async function startRaftNode(
  config: RaftConfig,
  ports: RaftPorts,
  stateMachine: StateMachine,
): Promise<RaftNode> {
  const node = await openRaftNode(config, ports, stateMachine);
  node.start();
  return node;
}

function foundingOf(config: RaftConfig): SnapshotMeta {
  const voters = config.peers.map(({ id }) => id).sort((left, right) => left - right);
  const isSound = new Set(voters).size === voters.length && voters.every((id) => Number.isSafeInteger(id) && id > 0);
  if (!isSound || !voters.includes(config.id)) {
    throw new HoldfastError(
      "precondition",
      `the list of masters must hold every id once, this one (${config.id}) included; it holds ${voters.join(", ")}. Correct the configuration`,
    );
  }
  return { index: 0 as LogIndex, term: 0 as Term, membership: membershipOf(voters) };
}

function membershipOf(voters: readonly PeerId[]): Membership {
  return { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

function checkFit(config: RaftConfig, boot: LogBoot, appliedIndex: LogIndex): void {
  const { voters } = boot.logStart.membership;
  const wanted = foundingOf(config).membership.voters;
  // With membership changes in the log, the log is right and the list only says where members are.
  if (boot.configurationEntries.length === 0 && voters.join() !== wanted.join()) {
    throw new HoldfastError(
      "precondition",
      `this log was founded by masters ${voters.join(", ")}, but the configuration lists ${wanted.join(", ")}; nothing was changed. Start with the same masters as before`,
    );
  }
  if (appliedIndex > boot.lastIndex || appliedIndex < boot.logStart.index) {
    throw new HoldfastError(
      "dataLoss",
      `the state (applied up to ${appliedIndex}) does not fit the log (entries ${boot.logStart.index + 1} to ${boot.lastIndex}): one of them was lost or restored alone. Nothing was changed; restore both together, or remove both and let the node join anew`,
    );
  }
}

function coreConfig(id: PeerId, settings: RaftSettings): Config {
  assert(settings.electionTicksMin > settings.heartbeatTicks, "an election timeout outlasts a heartbeat");
  return {
    id,
    electionTicks: settings.electionTicksMin,
    heartbeatTicks: settings.heartbeatTicks,
    appendBytesMax: settings.messageBytesMax,
    inflightAppendsMax: settings.inflightMessagesMax,
    inflightBytesMax: Math.max(settings.inflightBytesMax, settings.messageBytesMax),
    uncommittedBytesMax: settings.uncommittedBytesMax,
    applyBytesMax: 2 * settings.applyBatchBytesMax,
    windowBytesMax: settings.recentBytesMax,
    waitingReadsMax: 65_536,
    persistStallTicks: Math.ceil(settings.diskSlowMs / settings.tickMs),
    resolveTicks: 4 * settings.electionTicksMin,
    switches: productSwitches,
  };
}
