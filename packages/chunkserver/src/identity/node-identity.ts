import { HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import type { Disk, Random } from "@holdfast/runtime";
import { writeAtomically } from "./write-atomically.ts";

/** Who a node is. */
export interface NodeFacts {
  /** 32 hex digits, made with the data directory. */
  readonly nodeUuid: string;
  /** Empty before it joined. */
  readonly clusterId: string;
  /** Given by the masters; 0 before it joined. */
  readonly nodeId: number;
}

/** What the identity file works with. */
export interface NodeIdentityOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly dataDirectory: string;
  /** The cluster this node is meant for; empty = whichever welcomes it first. */
  readonly expectedClusterId: string;
}

/** A node's identity, kept in `node.json` for the life of its data directory. A directory belongs to one cluster for ever. */
export class NodeIdentity {
  /** Whether the directory had no identity before this start. */
  readonly isNew: boolean;
  readonly #options: NodeIdentityOptions;
  #facts: NodeFacts;

  constructor(options: NodeIdentityOptions, facts: NodeFacts, isNew: boolean) {
    this.#options = options;
    this.#facts = facts;
    this.isNew = isNew;
  }

  get facts(): NodeFacts {
    return this.#facts;
  }

  /**
   * The masters know this node as `nodeId` of `clusterId`; durable when it settles. Idempotent.
   * Errors: wrongCluster (the directory or the setting names another cluster), those of the disk.
   */
  async join(welcome: { readonly clusterId: string; readonly nodeId: number }): Promise<void> {
    const { clusterId, nodeId, nodeUuid } = this.#facts;
    if (clusterId === welcome.clusterId && nodeId === welcome.nodeId) return;
    assertCluster(clusterId, welcome.clusterId);
    assertCluster(this.#options.expectedClusterId, welcome.clusterId);
    const facts = { nodeUuid, clusterId: welcome.clusterId, nodeId: welcome.nodeId };
    await save(this.#options, facts);
    this.#facts = facts;
  }
}

/**
 * Reads the identity of a data directory, or makes one for an empty directory.
 * Errors: wrongCluster, precondition (unreadable identity file), those of the disk.
 */
export async function openNodeIdentity(options: NodeIdentityOptions): Promise<NodeIdentity> {
  const existing = await load(options);
  if (existing !== undefined) {
    if (existing.clusterId !== "") assertCluster(options.expectedClusterId, existing.clusterId);
    return new NodeIdentity(options, existing, false);
  }
  const facts = { nodeUuid: toHex(options.random.bytes(16)), clusterId: "", nodeId: 0 };
  await save(options, facts);
  return new NodeIdentity(options, facts, true);
}

function identityPath(options: NodeIdentityOptions): string {
  return `${options.dataDirectory}/node.json`;
}

async function save(options: NodeIdentityOptions, facts: NodeFacts): Promise<void> {
  await writeAtomically(
    options.disk,
    identityPath(options),
    `${JSON.stringify({ formatVersion: 1, ...facts }, undefined, 2)}\n`,
  );
}

async function load(options: NodeIdentityOptions): Promise<NodeFacts | undefined> {
  let text: string;
  try {
    text = new TextDecoder().decode(await options.disk.readFile(identityPath(options)));
  } catch (error) {
    if (isHoldfastError(error, "notFound")) return undefined;
    throw error;
  }
  const parsed = parse(text);
  if (parsed !== undefined) return parsed;
  throw new HoldfastError(
    "precondition",
    "node.json of the data directory cannot be read. Nothing was changed. Restore it from a backup, or start with an empty directory.",
  );
}

function parse(text: string): NodeFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { formatVersion, nodeUuid, clusterId, nodeId } = value as Record<string, unknown>;
  if (formatVersion !== 1 || typeof nodeUuid !== "string" || !/^[0-9a-f]{32}$/.test(nodeUuid)) return undefined;
  if (typeof clusterId !== "string" || typeof nodeId !== "number" || !Number.isSafeInteger(nodeId)) return undefined;
  return { nodeUuid, clusterId, nodeId };
}

function assertCluster(ours: string, theirs: string): void {
  if (ours === "" || ours === theirs) return;
  throw new HoldfastError(
    "wrongCluster",
    `This data directory belongs to cluster ${ours}, not ${theirs}. Nothing was changed. Use the right masters or another directory.`,
  );
}
