import { assert, HoldfastError } from "@holdfast/base";
import type { RaftConfig, RaftNode, RaftPorts, StateMachine } from "../api.ts";
import { createRaft } from "../core/create-raft.ts";
import { productSwitches, type Config } from "../core/config.ts";
import type { Membership, SnapshotMeta } from "../core/entries.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import type { LogBoot } from "../log-store/log-store.ts";
import { orderRenewal } from "../log-store/set-aside.ts";
import { hexOf } from "../transport/hello-codec.ts";
import { NetworkTransport } from "../transport/network-transport.ts";
import { NodeMetrics } from "./node-metrics.ts";
import { openOrRenewLog } from "./open-or-renew-log.ts";
import { RaftShell } from "./raft-node.ts";
import { resolveSettings, type RaftSettings } from "./settings.ts";

/**
 * Recovers a node from its directory, or makes a new one. The node takes part in nothing until `start()`.
 *
 *   const raft = await openRaftNode(config, ports, stateMachine);
 *   const listener = await network.listen(address, [...raft.services, ...otherServices]);
 *   raft.start();
 *
 * Entries of the log that cannot be read any more come back from the leader while the node takes part. A log that is
 * damaged beyond that, or that does not fit the state, is set aside when there are other members: the node joins them
 * anew, without a vote until it has caught up.
 *
 * Errors: `wrongCluster` when the directory belongs to another cluster or peer; `precondition` when another process has
 * it open or `config` is not sound; `dataLoss` as above, for a member that is alone; `diskFailed`, `noSpace`.
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
  const { directory, clusterId } = config;
  const opened = await openOrRenewLog({
    log: {
      ...{ ...ports, logger, directory, clusterId, peer: config.id, founding },
      segmentBytesMax: settings.segmentBytesMax,
      windowBytesMax: settings.recentBytesMax,
      isRepairable: config.peers.length > 1,
      onSynced: (sync) => metrics.synced(sync),
    },
    isBeyondHelp: config.peers.length === 1 || stateMachine.snapshots === undefined,
    findMisfit: (boot, intent) => findMisfit(config, stateMachine.appliedIndex(), { boot, intent }),
    appliedIndex: stateMachine.appliedIndex(),
  });
  const { store, incarnation, standing } = opened;
  const transport = new NetworkTransport({
    ...ports,
    logger,
    clusterId,
    self: config.id,
    ownAddress: config.peers.find(({ id }) => id === config.id)?.address ?? "",
    peers: config.peers.filter(({ id }) => id !== config.id),
    queue: { messagesMax: settings.peerQueueMessagesMax, bytesMax: settings.peerQueueBytesMax },
    reconnectMsMin: settings.reconnectMsMin,
    reconnectMsMax: settings.reconnectMsMax,
    everyoneHas: () => node.everyoneHasIndex,
    ownHello: () => node.word.hello(),
    ownHeld: () => node.word.held(),
    snapshots: {
      offerSnapshot: (offer, context) => node.snapshotHandlers.offerSnapshot(offer, context),
      installSnapshot: (pieces, context) => node.snapshotHandlers.installSnapshot(pieces, context),
    },
  });
  const node: RaftShell = new RaftShell({
    config,
    settings,
    ports: { ...ports, logger },
    createCore: (boot, appliedIndex) =>
      createRaft(coreConfig(config.id, settings), { ...boot, appliedIndex }, () => ports.random.fraction()),
    store,
    transport,
    stateMachine,
    metrics,
    incarnation: hexOf(incarnation),
    standing,
    founding,
    isDirectoryThere: async () => (await ports.disk.stat(`${directory}/identity`)) !== undefined,
    orderRenewal: () => orderRenewal(ports.disk, directory),
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

/** Why log and state are not of one piece; undefined: they are. A wrong list of founders is an error of the operator. */
function findMisfit(
  config: RaftConfig,
  appliedIndex: LogIndex,
  log: { readonly boot: LogBoot; readonly intent: SnapshotMeta | undefined },
): string | undefined {
  const { boot } = log;
  const { voters } = boot.logStart.membership;
  const wanted = foundingOf(config).membership.voters;
  // With membership changes in the log, the log is right and the list only says where members are.
  const isFounded = boot.configurationEntries.length === 0 && boot.logStart.index === 0 && voters.length > 0;
  if (isFounded && voters.join() !== wanted.join()) {
    throw new HoldfastError(
      "precondition",
      `this log was founded by masters ${voters.join(", ")}, but the configuration lists ${wanted.join(", ")}; nothing was changed. Start with the same masters as before`,
    );
  }
  if (appliedIndex <= boot.lastIndex && appliedIndex >= boot.logStart.index) return undefined;
  return `the state (applied up to ${appliedIndex}) does not fit the log (entries ${boot.logStart.index + 1} to ${boot.lastIndex}): one of them was lost or restored alone`;
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
    switches: {
      ...productSwitches,
      leaseReads: settings.leaseDriftPercent > 0,
      forwardReads: settings.forwardedReads === 1,
    },
  };
}
