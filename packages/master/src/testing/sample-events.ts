import type { DomainEvent } from "../domain/events.ts";
import { fleetSampleEvents } from "./sample-fleet-events.ts";

const sha256 = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
const tokenSha256 = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const uploadId = "00112233445566778899aabbccddeeff";
const noBytes = new Uint8Array(0);

/**
 * A history with every kind of event in which each can be folded. Kept as bytes in testdata/events/v1: positions and
 * contents never change; new kinds are added at the end, with whatever they need.
 */
export const sampleEvents: readonly DomainEvent[] = [
  {
    kind: "clusterInitialised",
    clusterId: "0123456789abcdef0123456789abcdef",
    chunkSizeBytes: 4_194_304,
    replication: 3,
  },
  { kind: "setupTokenIssued", tokenSha256, expiresAtMs: 1_800_000_000_000 },
  {
    kind: "userCreated",
    userId: 1,
    email: "ann@example.org",
    passwordHash: "$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA",
    isAdmin: true,
    rootEntryId: 1,
    phone: "+491711234567",
    channels: ["email", "sms"],
  },
  {
    kind: "userReplaced",
    userId: 1,
    passwordHash: "$argon2id$v=19$x$y",
    isAdmin: true,
    phone: "",
    channels: ["email"],
  },
  { kind: "userPasswordChanged", userId: 1, passwordHash: "$argon2id$v=19$z$w" },
  {
    kind: "sessionStarted",
    tokenSha256,
    userId: 1,
    channel: "browser",
    expiresAtMs: 1_800_000_000_000,
    client: "Firefox/150 – ä",
  },
  { kind: "sessionEnded", tokenSha256 },
  {
    kind: "nodeJoined",
    nodeId: 1,
    nodeUuid: "11111111111111111111111111111111",
    name: "node-1",
    address: "10.0.0.1:7000",
    ip: "10.0.0.1",
    mac: "02:00:00:00:00:01",
    capacityBytes: 1_000_000_000_000,
    zone: "a",
    rack: "",
    joinTokenId: 0,
  },
  {
    kind: "nodeReported",
    nodeId: 1,
    address: "10.0.0.2:7000",
    ip: "10.0.0.2",
    mac: "02:00:00:00:00:02",
    capacityBytes: 2 ** 40,
  },
  { kind: "nodeDown", nodeId: 1, reason: "no heartbeat for 10 s", drillId: 0 },
  { kind: "nodeUp", nodeId: 1 },
  { kind: "folderCreated", entryId: 2, parentId: 1, name: "Fotos 2026", ownerId: 1 },
  { kind: "fileCreated", entryId: 3, parentId: 2, name: "été 😀.txt", ownerId: 1 },
  {
    kind: "versionCommitted",
    entryId: 3,
    versionId: 1,
    sizeBytes: 5,
    sha256,
    chunkIds: [],
    inlineContent: Uint8Array.of(104, 101, 108, 108, 111),
  },
  {
    kind: "chunksGranted",
    grantId: 1,
    gateway: "gateway-1",
    chunks: [
      { chunkId: 1, nodeIds: [1] },
      { chunkId: 2, nodeIds: [1] },
    ],
    expiresAtMs: 1_800_000_000_000,
  },
  {
    kind: "uploadStarted",
    uploadId,
    ownerId: 1,
    parentId: 2,
    name: "film.mp4",
    sizeBytes: 2 ** 33,
    partSizeBytes: 8_388_608,
    conflict: 2,
    expiresAtMs: 1_800_000_000_000,
  },
  {
    kind: "chunkPlaced",
    chunkId: 1,
    generation: 1,
    lengthBytes: 4_194_304,
    sha256,
    nodeIds: [1],
    confirmedNodeIds: [1],
  },
  { kind: "uploadPartStored", uploadId, part: 0, chunkIds: [1], lengthBytes: 4_194_304, sha256 },
  {
    kind: "versionCommitted",
    entryId: 3,
    versionId: 2,
    sizeBytes: 4_194_304,
    sha256: noBytes,
    chunkIds: [1],
    inlineContent: noBytes,
  },
  { kind: "uploadEnded", uploadId, isCommitted: true },
  { kind: "versionPurged", entryId: 3, versionId: 1 },
  {
    kind: "entryMoved",
    entryId: 3,
    sourceParentId: 2,
    sourceName: "été 😀.txt",
    targetParentId: 1,
    targetName: "film.mp4",
  },
  { kind: "entryTrashed", entryId: 3, sourceParentId: 1 },
  { kind: "entryRestored", entryId: 3, targetParentId: 2, targetName: "film (2).mp4" },
  { kind: "replicaLost", chunkIds: [1], nodeId: 1, reason: "corrupt", drillId: 0 },
  { kind: "replicaConfirmed", chunkIds: [1], nodeId: 1 },
  { kind: "entryTrashed", entryId: 3, sourceParentId: 2 },
  { kind: "entryPurged", entryId: 3 },
  { kind: "trimOrdered", chunkId: 1, generation: 1, nodeId: 1, term: 4, reason: "purged", confirmedNodeIds: [1] },
  { kind: "replicaTrimmed", chunkId: 1, nodeId: 1 },
  { kind: "userDisabled", userId: 1 },
  { kind: "replicaPlaced", chunkIds: [2, 1], nodeId: 1, reason: "repair" },
  ...fleetSampleEvents,
];

/** Name of the file that keeps an event's bytes. */
export function sampleFileName(position: number, event: DomainEvent): string {
  return `${String(position + 1).padStart(3, "0")}-${event.kind}.binpb`;
}
