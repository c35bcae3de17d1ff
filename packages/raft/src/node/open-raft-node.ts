import type { RaftConfig, RaftNode, RaftPorts, StateMachine } from "../api.ts";

/**
 * Recovers a node from its directory, or makes a new one. The node takes part in nothing until `start()`.
 *
 *   const raft = await openRaftNode(config, ports, stateMachine);
 *   const listener = await network.listen(address, [...raft.services, ...otherServices]);
 *   raft.start();
 *
 * Errors: `wrongCluster` when the directory belongs to another cluster or peer; `precondition` when another process has
 * it open or `config` is not sound; `dataLoss` when the log is damaged before its tail; `diskFailed`, `noSpace`.
 */
export async function openRaftNode(config: RaftConfig, ports: RaftPorts, stateMachine: StateMachine): Promise<RaftNode> {
  void config;
  void ports;
  void stateMachine;
  return await Promise.reject(new Error("being written"));
}

/**
 * `openRaftNode` and `start()` in one. For callers that listen afterwards: peers try again until the services are there.
 * Errors: as `openRaftNode`.
 */
export async function startRaftNode(config: RaftConfig, ports: RaftPorts, stateMachine: StateMachine): Promise<RaftNode> {
  const node = await openRaftNode(config, ports, stateMachine);
  node.start();
  return node;
}
