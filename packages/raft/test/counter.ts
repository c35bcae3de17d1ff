import { createMetrics, silentLogger } from "@holdfast/observability";
import {
  openRaftNode,
  type CommittedEntry,
  type LogIndex,
  type PeerId,
  type RaftNode,
  type StateMachine,
} from "@holdfast/raft";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeDisk, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";

/** The replicated state: a sum. In memory, so a restart folds the whole log again. */
class Counter implements StateMachine {
  value = 0;
  #appliedIndex = 0 as LogIndex;
  appliedIndex = (): LogIndex => this.#appliedIndex;
  flush = async (): Promise<void> => undefined;
  async apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void> {
    for (const { data } of entries) this.value += Number(Buffer.from(data).toString());
    this.#appliedIndex = throughIndex;
  }
}

/** Starts one member of the group; `addresses` are host:port of all, by id. */
export async function startMember(id: number, addresses: readonly string[], directory: string) {
  const os = {
    clock: createNodeClock(),
    timers: createNodeTimers(),
    random: createNodeRandom(),
    disk: createNodeDisk(),
  };
  const ports = { ...os, logger: silentLogger, metrics: createMetrics() };
  const network = createGrpcNetwork(ports);
  const counter = new Counter();
  const peers = addresses.map((address, index) => ({ id: (index + 1) as PeerId, address }));
  const config = { clusterId: "counter", id: id as PeerId, peers, directory };
  const node = await openRaftNode(config, { ...ports, network }, counter);
  const listener = await network.listen(addresses[id - 1] ?? "", node.services);
  node.start();
  const stop = () =>
    node
      .stop()
      .then(() => listener.close())
      .then(() => network.close());
  return { node, counter, stop };
}

/** Adds at the leader and reads back; the read has seen every addition that was acknowledged before it. */
export async function addAndRead(leader: { node: RaftNode; counter: Counter }, amount: number): Promise<number> {
  const outcome = await leader.node.propose(Buffer.from(String(amount)));
  if (outcome.kind !== "applied") throw new Error(`ended as ${outcome.kind}; see ProposeOutcome for what that means`);
  await leader.node.readIndex();
  return leader.counter.value;
}
