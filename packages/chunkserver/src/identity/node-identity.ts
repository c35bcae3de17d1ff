import { HoldfastError, toHex } from "@holdfast/base";
import type { Random } from "@holdfast/runtime";
import type { DataDirectories } from "./data-directories.ts";

/** Who a node is. */
export interface NodeFacts {
  /** 32 hex digits, made with the data directory. */
  readonly nodeUuid: string;
  /** Empty before it joined. */
  readonly clusterId: string;
  /** Given by the masters; 0 before it joined. */
  readonly nodeId: number;
}

/** What the identity works with. */
export interface NodeIdentityOptions {
  readonly directories: DataDirectories;
  readonly random: Random;
  /** The cluster this node is meant for; empty = whichever welcomes it first. */
  readonly expectedClusterId: string;
}

interface SavedIdentity {
  readonly facts: NodeFacts;
  /** As it was started when it last joined; empty before. */
  readonly name: string;
  readonly masterAddresses: readonly string[];
}

const fileName = "node.json";

/**
 * A node's identity, kept in `node.json` for the life of its data directories (docs/formats/node-files.md). A directory
 * belongs to one cluster for ever.
 */
export class NodeIdentity {
  /** Whether no directory had an identity before this start. */
  readonly isNew: boolean;
  readonly #options: NodeIdentityOptions;
  #saved: SavedIdentity;

  constructor(options: NodeIdentityOptions, saved: SavedIdentity, isNew: boolean) {
    this.#options = options;
    this.#saved = saved;
    this.isNew = isNew;
  }

  get facts(): NodeFacts {
    return this.#saved.facts;
  }

  /** The name it had when it last joined; empty before. */
  get name(): string {
    return this.#saved.name;
  }

  /** host:port of the masters that were told when it last joined; empty before. */
  get masterAddresses(): readonly string[] {
    return this.#saved.masterAddresses;
  }

  /**
   * The masters know this node as `nodeId` of `clusterId`; durable when it settles, with its name and the addresses they are found at.
   * Idempotent. Errors: wrongCluster (the directory or the setting names another cluster), those of the disk.
   */
  async join(welcome: {
    readonly clusterId: string;
    readonly nodeId: number;
    readonly name: string;
    readonly masterAddresses: readonly string[];
  }): Promise<void> {
    const { facts } = this.#saved;
    assertCluster(facts.clusterId, welcome.clusterId);
    assertCluster(this.#options.expectedClusterId, welcome.clusterId);
    const { nodeId, clusterId, name, masterAddresses } = welcome;
    const joined = { facts: { nodeUuid: facts.nodeUuid, clusterId, nodeId }, name, masterAddresses };
    if (textOf(joined) === textOf(this.#saved)) return;
    await this.#options.directories.write(fileName, textOf(joined));
    this.#saved = joined;
  }
}

/**
 * Reads the identity of a node's data directories and gives it to those that are new, or makes one when all are empty.
 * Errors: wrongCluster, precondition (unreadable, of different nodes, foreign content), those of the disk.
 */
export async function openNodeIdentity(options: NodeIdentityOptions): Promise<NodeIdentity> {
  const { directories, random, expectedClusterId } = options;
  const found = (await directories.read(fileName)).map(({ directory, text }) => ({
    directory,
    saved: parse(text, directory),
  }));
  for (const directory of directories.paths) await directories.assertOwn(directory);
  const [first, ...others] = found;
  const stranger = others.find(({ saved }) => saved.facts.nodeUuid !== first?.saved.facts.nodeUuid);
  if (first !== undefined && stranger !== undefined) {
    throw new HoldfastError(
      "precondition",
      `${first.directory} and ${stranger.directory} belong to different nodes. Nothing was changed. Start each node with its own directories.`,
    );
  }
  const newest = found.map(({ saved }) => saved).sort((left, right) => right.facts.nodeId - left.facts.nodeId)[0];
  if (newest !== undefined && newest.facts.clusterId !== "") assertCluster(expectedClusterId, newest.facts.clusterId);
  const made = {
    facts: { nodeUuid: toHex(random.bytes(16)), clusterId: "", nodeId: 0 },
    name: "",
    masterAddresses: [],
  };
  const saved = newest ?? made;
  const isEverywhere =
    found.length === directories.paths.length && found.every((each) => textOf(each.saved) === textOf(saved));
  if (!isEverywhere) await directories.write(fileName, textOf(saved));
  return new NodeIdentity(options, saved, newest === undefined);
}

function textOf({ facts, name, masterAddresses }: SavedIdentity): string {
  return `${JSON.stringify({ formatVersion: 1, ...facts, name, masterAddresses }, undefined, 2)}\n`;
}

function parse(text: string, directory: string): SavedIdentity {
  const saved = savedFrom(text);
  if (saved !== undefined) return saved;
  throw new HoldfastError(
    "precondition",
    `node.json in ${directory} cannot be read. Nothing was changed. Restore it from a backup, or start with an empty directory.`,
  );
}

function savedFrom(text: string): SavedIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const {
    formatVersion,
    nodeUuid,
    clusterId,
    nodeId,
    name = "",
    masterAddresses = [],
  } = value as Record<string, unknown>;
  if (formatVersion !== 1 || typeof nodeUuid !== "string" || !/^[0-9a-f]{32}$/.test(nodeUuid)) return undefined;
  if (typeof clusterId !== "string" || typeof nodeId !== "number" || !Number.isSafeInteger(nodeId)) return undefined;
  if (typeof name !== "string" || !Array.isArray(masterAddresses)) return undefined;
  if (!masterAddresses.every((address) => typeof address === "string")) return undefined;
  return { facts: { nodeUuid, clusterId, nodeId }, name, masterAddresses };
}

function assertCluster(ours: string, theirs: string): void {
  if (ours === "" || ours === theirs) return;
  throw new HoldfastError(
    "wrongCluster",
    `This data directory belongs to cluster ${ours}, not ${theirs}. Nothing was changed. Use the right masters or another directory.`,
  );
}
