import { generateKeyPairSync } from "node:crypto";
import { connect } from "node:http2";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { create } from "@bufbuild/protobuf";
import { createMetrics, createRecordingLogger, silentLogger } from "@holdfast/observability";
import { ChunkControlService, StatChunkRequestSchema, StatChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import {
  CommandService,
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  FleetService,
  PollDrillsRequestSchema,
  PollDrillsResponseSchema,
} from "@holdfast/proto/master/v1/master";
import { serve, type Network, type PeerIdentity, type PeerRole } from "@holdfast/rpc";
import { createGrpcNetwork, type TlsCredentials } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { afterEach, describe, expect, test } from "vitest";
import { createAuthority, openAuthority, type CertificateAuthority } from "../authority.ts";
import { ClusterTrust } from "../cluster-trust.ts";
import { fingerprintOf } from "../fingerprint.ts";
import { isDueForRenewal } from "../renewal.ts";
import { createCertificateRequest } from "../certificate-request.ts";
import { keepAuthorityFile } from "./authority-file.ts";
import { readCertificateFiles, writeCertificateFiles } from "./certificate-files.ts";
import { fetchAuthority } from "./fetch-authority.ts";

const clusterId = "c1".repeat(16);
const nowMs = Date.now();
const dayMs = 24 * 3_600_000;
const nodeUuid = "ab".repeat(16);
const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Everything about one process: what it shows, and its network. */
class Party {
  readonly trust: ClusterTrust;
  readonly network: Network;
  readonly logger = createRecordingLogger();

  constructor(credentials: TlsCredentials, ofCluster = clusterId) {
    this.trust = new ClusterTrust(ofCluster, credentials);
    this.network = createGrpcNetwork({ ...ports, logger: this.logger, metrics: createMetrics(), security: this.trust });
    cleanups.push(() => this.network.close());
  }

  async listen(...services: Parameters<Network["listen"]>[1]): Promise<string> {
    const listener = await this.network.listen("127.0.0.1:0", services);
    cleanups.push(() => listener.close());
    return listener.address;
  }
}

class World {
  readonly authority: CertificateAuthority;

  constructor(authority: CertificateAuthority) {
    this.authority = authority;
  }

  static async create(): Promise<World> {
    return new World(openAuthority(createAuthority(clusterId, nowMs)));
  }

  async credentials(role: PeerRole, id: string, change: Partial<PeerIdentity> & { readonly atMs?: number } = {}) {
    const { atMs = nowMs, ...names } = change;
    const identity = { clusterId, role, id, ...names };
    const { privateKey, ...request } = createCertificateRequest(identity);
    const certificate = this.authority.issue(request, identity, atMs);
    return { authority: this.authority.certificate, own: { certificate, privateKey } };
  }

  async party(role: PeerRole, id: string): Promise<Party> {
    return new Party(await this.credentials(role, id));
  }
}

let seen: PeerIdentity | undefined;
const fleet = serve(FleetService, {
  pollDrills: async (_request, { caller }) => {
    seen = caller;
    return create(PollDrillsResponseSchema);
  },
  heartbeat: () => {
    throw new Error("not asked for here");
  },
});
const commands = serve(CommandService, { execute: async () => create(ExecuteResponseSchema) });
const control = serve(ChunkControlService, {
  statChunk: async () => create(StatChunkResponseSchema),
  getNodeStatus: () => Promise.reject(new Error("not asked for here")),
});
const poll = (party: Party, address: string): Promise<unknown> =>
  party.network.client(FleetService, address).pollDrills(create(PollDrillsRequestSchema), { timeoutMs: 10_000 });

describe("mutual TLS", () => {
  test("a handler knows who calls, by the certificate; other roles are told that they may not", async () => {
    const world = await World.create();
    const address = await (await world.party("master", "1")).listen(fleet);
    await poll(await world.party("node", nodeUuid), address);
    expect(seen).toEqual({ clusterId, role: "node", id: nodeUuid });
    await expect(poll(await world.party("gateway", "gateway-1"), address)).rejects.toMatchObject({
      kind: "denied",
      message: expect.stringContaining("A gateway may not call holdfast.master.v1.FleetService/PollDrills"),
    });
  });

  test("no certificate, another authority's, an expired one, one of another cluster: each is told so", async () => {
    const world = await World.create();
    const other = await World.create();
    const address = await (await world.party("master", "1")).listen(fleet);
    const { authority } = world;
    const stranger = await other.credentials("node", nodeUuid);
    const cases: readonly (readonly [TlsCredentials, string])[] = [
      [{ authority: authority.certificate }, "No certificate of this cluster was shown"],
      [{ ...stranger, authority: authority.certificate }, "was not made by this cluster's authority"],
      [await world.credentials("node", nodeUuid, { atMs: nowMs - 91 * dayMs }), "has expired"],
      [await world.credentials("node", nodeUuid, { clusterId: "d2".repeat(16) }), "is for cluster d2d2"],
    ];
    for (const [credentials, reason] of cases) {
      seen = undefined;
      await expect(poll(new Party(credentials), address)).rejects.toMatchObject({
        kind: "unauthenticated",
        message: expect.stringContaining(reason),
      });
      expect(seen).toBeUndefined();
    }
  });

  test("a caller does not believe another authority's server, nor one of another role", async () => {
    const world = await World.create();
    const other = await World.create();
    const node = await world.party("node", nodeUuid);
    const foreign = await (await other.party("master", "1")).listen(fleet);
    await expect(poll(node, foreign)).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("was not made by this cluster's authority"),
    });
    const posing = await (await world.party("node", "cd".repeat(16))).listen(fleet);
    await expect(poll(node, posing)).rejects.toMatchObject({
      message: expect.stringContaining("a master was expected"),
    });
    const stat = node.network.client(ChunkControlService, await (await world.party("gateway", "g")).listen(control));
    await expect(stat.statChunk(create(StatChunkRequestSchema))).rejects.toMatchObject({
      message: expect.stringContaining("a node was expected there, and it is gateway g"),
    });
  });

  test("a refused node's certificate counts no longer; a renewed one is shown from then on", async () => {
    const world = await World.create();
    const master = await world.party("master", "1");
    const node = await world.party("node", nodeUuid);
    const address = await master.listen(fleet, commands);
    const order = (): Promise<unknown> =>
      node.network.client(CommandService, address).execute(create(ExecuteRequestSchema));
    await order();
    master.trust.refuse(new Map([[nodeUuid, "node-1 was removed."]]));
    await expect(order()).rejects.toMatchObject({ kind: "denied", message: "node-1 was removed." });
    // Heartbeats are answered all the same: with the reason, in the handler's own words.
    await poll(node, address);
    const renewed = await world.credentials("master", "1");
    master.trust.use(renewed);
    const late = await world.party("node", nodeUuid);
    await poll(late, address);
    const session = connect(`https://${address}`, { rejectUnauthorized: false });
    const shown = await new Promise<string>((resolve) => {
      session.on("connect", (_session, socket) =>
        resolve(
          (socket as unknown as { getPeerX509Certificate(): { toString(): string } })
            .getPeerX509Certificate()
            .toString(),
        ),
      );
    });
    session.destroy();
    expect(shown.trim()).toBe(renewed.own.certificate.trim());
  });
});

describe("in the clear", () => {
  test("nothing listens or talks beyond loopback, unless the network is said to be trusted", async () => {
    const plain = createGrpcNetwork({ ...ports, logger: silentLogger, metrics: createMetrics() });
    cleanups.push(() => plain.close());
    await expect(plain.listen("0.0.0.0:0", [control])).rejects.toMatchObject({
      kind: "precondition",
      message: expect.stringContaining("--trusted-network"),
    });
    const far = plain.client(ChunkControlService, "192.0.2.9:7000");
    await expect(far.statChunk(create(StatChunkRequestSchema))).rejects.toMatchObject({
      kind: "precondition",
      message: expect.stringContaining("in the clear is refused"),
    });
    for (const address of ["127.0.0.1:0", "localhost:0"]) await (await plain.listen(address, [control])).close();
    const trusting = createGrpcNetwork({
      ...ports,
      logger: silentLogger,
      metrics: createMetrics(),
      isTrustedNetwork: true,
    });
    cleanups.push(() => trusting.close());
    await (await trusting.listen("0.0.0.0:0", [control])).close();
  });
});

describe("joining", () => {
  test("the authority is found by its fingerprint, and by nothing else", async () => {
    const world = await World.create();
    const other = await World.create();
    const address = await (await world.party("master", "1")).listen(fleet);
    const { certificate } = world.authority;
    expect((await fetchAuthority(["127.0.0.1:1", address], fingerprintOf(certificate))).trim()).toBe(
      certificate.trim(),
    );
    await expect(fetchAuthority([address], fingerprintOf(other.authority.certificate))).rejects.toMatchObject({
      kind: "denied",
    });
    await expect(fetchAuthority(["127.0.0.1:1"], fingerprintOf(certificate))).rejects.toMatchObject({
      kind: "unavailable",
    });
  });

  test("a certificate is given for the key that signed the request, and is renewed in its last third", async () => {
    const { authority } = await World.create();
    const identity = { clusterId, role: "node", id: nodeUuid } as const;
    const { privateKey: _, ...request } = createCertificateRequest(identity);
    const other = createCertificateRequest({ ...identity, id: "cd".repeat(16) });
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "der", type: "spki" });
    const wrong: readonly Partial<typeof request>[] = [
      { proof: other.proof },
      { publicKey: other.publicKey },
      other,
      { publicKey: new Uint8Array([1, 2, 3]) },
      { publicKey: new Uint8Array(rsa) },
      { proof: new Uint8Array() },
    ];
    for (const change of wrong)
      expect(() => authority.issue({ ...request, ...change }, identity, nowMs)).toThrow(/not proven/);
    const certificate = authority.issue(request, identity, nowMs);
    expect(isDueForRenewal(certificate, nowMs + 59 * dayMs)).toBe(false);
    expect(isDueForRenewal(certificate, nowMs + 61 * dayMs)).toBe(true);
    for (const text of ["something else", certificate, certificate + createAuthority(clusterId, nowMs)])
      expect(() => openAuthority(text)).toThrow(/holds no certificate and key/);
  });

  test("files are for the owner's eyes only, and survive a lost disk", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "holdfast-trust-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const file = path.join(folder, "authority.pem");
    const text = await keepAuthorityFile(file, { clusterId, nowMs });
    expect(await keepAuthorityFile(file, { clusterId, nowMs })).toBe(text);
    const world = new World(openAuthority(text));
    const credentials = await world.credentials("node", nodeUuid);
    expect(await readCertificateFiles([folder])).toBeUndefined();
    await writeCertificateFiles([folder, path.join(folder, "gone")], credentials);
    expect(await readCertificateFiles([path.join(folder, "gone"), folder])).toEqual(credentials);
    for (const name of ["authority.pem", "certificate.pem"])
      expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600);
  });
});
