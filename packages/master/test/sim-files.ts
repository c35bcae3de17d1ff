import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import {
  CommitFileSchema,
  CreateUserSchema,
  GrantChunksSchema,
  WrittenChunkSchema,
  type Command,
  type Grant,
} from "@holdfast/proto/master/v1/master";
import { FakeNode } from "./fake-node.ts";
import { SimMasters } from "./sim-masters.ts";

const sha256 = new Uint8Array(32).fill(1);

/** Makes the account of these tests, or answers with it. */
export const createUser: Command["command"] = {
  case: "createUser",
  value: create(CreateUserSchema, { email: "a@b.example", passwordHash: "$argon2id$x", keepExisting: true }),
};

/** Three masters with a leader, and nodes that were let in. */
export async function clusterOf(seed: number, nodeCount = 0): Promise<{ cluster: SimMasters; nodes: FakeNode[] }> {
  const cluster = new SimMasters({ seed });
  await cluster.startAll();
  await cluster.leader();
  const nodes = Array.from({ length: nodeCount }, (_, index) => new FakeNode(cluster, index + 1));
  for (const node of nodes) node.start();
  await cluster.world.runUntil(() => nodes.every((node) => node.nodeId > 0), 5000);
  return { cluster, nodes };
}

/** The account and its root folder. */
export async function userOf(cluster: SimMasters): Promise<{ userId: bigint; parentId: bigint }> {
  const { outcome } = await cluster.execute(createUser);
  return { userId: outcome?.userId ?? 0n, parentId: outcome?.entryId ?? 0n };
}

/** Ids and places. */
export async function grant(cluster: SimMasters, count = 1): Promise<Grant> {
  const value = create(GrantChunksSchema, { gateway: "g", count });
  const { outcome } = await cluster.execute({ case: "grantChunks", value });
  return must(outcome?.grant, "a grant gives a grant");
}

/** Writes a file of one chunk: two copies are acknowledged, the third node tells on its own. */
export async function writeFile(
  cluster: SimMasters,
  nodes: readonly FakeNode[],
  file: { name: string; userId: bigint; parentId: bigint },
): Promise<{ entryId: bigint; chunkId: number }> {
  const granted = must((await grant(cluster)).chunks[0], "a grant of one chunk has one");
  const nodeIds = granted.places.map((place) => place.nodeId);
  const chunkId = Number(granted.chunkId);
  for (const node of nodes) if (nodeIds.includes(node.nodeId)) node.add({ chunkId, generation: 1, lengthBytes: 100 });
  const facts = { chunkId: granted.chunkId, generation: 1, lengthBytes: 100, sha256, nodeIds };
  const chunk = create(WrittenChunkSchema, { ...facts, confirmedNodeIds: nodeIds.slice(0, 2) });
  const value = create(CommitFileSchema, { ...file, sizeBytes: 100n, sha256, chunks: [chunk] });
  const { outcome } = await cluster.execute({ case: "commitFile", value });
  return { entryId: must(outcome, "a committed file has an outcome").entryId, chunkId };
}
