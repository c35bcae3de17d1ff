import { create } from "@bufbuild/protobuf";
import { AsyncQueue, HoldfastError } from "@holdfast/base";
import { silentLogger, type LogFields, type Logger } from "@holdfast/observability";
import { ExchangeRequestSchema, RaftService, type ExchangeRequest } from "@holdfast/proto/raft/v1/raft";
import { createSimNetwork, type SimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld, type SimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import type { AppendRequest, HeartbeatRequest, Message } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { makeEntries } from "../log-store/log-store.contract.ts";
import { encodeMessage } from "./codec.ts";
import { NetworkTransport, type NetworkTransportOptions } from "./network-transport.ts";
import type { PeerAnswer, PeerHello, Standing } from "./transport.ts";

const ids = [1, 2] as PeerId[];

function heartbeat(round: number): HeartbeatRequest {
  const commit = { term: 0 as Term, index: 0 as LogIndex };
  return { kind: "heartbeatRequest", from: 1 as PeerId, to: 2 as PeerId, term: 1 as Term, commit, round };
}

function append(entries: AppendRequest["entries"]): AppendRequest {
  const previous = { term: 1 as Term, index: 4 as LogIndex };
  const header = { from: 1 as PeerId, to: 2 as PeerId, term: 1 as Term };
  return { kind: "appendRequest", ...header, previous, commit: 4 as LogIndex, entries };
}

const hello: PeerHello = {
  incarnation: "",
  life: "00ff",
  durableTerm: 3 as Term,
  durableVote: 2 as PeerId,
  durableIndex: 9 as LogIndex,
  isUndecided: false,
  round: 0,
};

interface End {
  readonly hellos: ({ peer: PeerId } & PeerHello)[];
  readonly answers: ({ peer: PeerId } & PeerAnswer)[];
  standing: Standing;
  readonly transport: NetworkTransport;
  readonly received: Message[];
  readonly unreachable: PeerId[];
  readonly everyoneHas: number[];
  readonly held: { peer: PeerId; incarnation: string; term: number; index: number }[];
  readonly logged: { event: string; fields: LogFields | undefined }[];
}

class Pair {
  readonly world: SimWorld = createSimWorld("transport");
  readonly network: SimNetwork = createSimNetwork(this.world);

  async start(id: PeerId, over: Partial<NetworkTransportOptions> = {}): Promise<End> {
    const process = this.world.machine(`m${id}`).startProcess();
    const network = this.network.forProcess(process);
    const logged: End["logged"] = [];
    const note = (event: string, fields?: LogFields): void => void logged.push({ event, fields });
    const logger: Logger = { ...silentLogger, warn: note, error: note };
    const transport = new NetworkTransport({
      network,
      timers: process.timers,
      random: process.random,
      logger,
      clusterId: "c",
      self: id,
      ownAddress: `m${id}:7000`,
      peers: ids.filter((peer) => peer !== id).map((peer) => ({ id: peer, address: `m${peer}:7000` })),
      queue: { messagesMax: 100, bytesMax: 1e6 },
      reconnectMsMin: 50,
      reconnectMsMax: 1000,
      everyoneHas: () => 77 as LogIndex,
      ownHeld: () => ({ term: 4 as Term, index: 12 as LogIndex }),
      ownHello: () => ({ ...hello, incarnation: `0${id}`.repeat(16) }),
      snapshots: {
        offerSnapshot: () => Promise.reject(new HoldfastError("unavailable", "no snapshots here")),
        installSnapshot: () => Promise.reject(new HoldfastError("unavailable", "no snapshots here")),
      },
      ...over,
    });
    await network.listen(`m${id}:7000`, transport.services);
    const lists = { received: [], unreachable: [], everyoneHas: [], held: [], hellos: [], answers: [] };
    const end: End = { transport, ...lists, standing: "member", logged };
    transport.start({
      onMessage: (message) => end.received.push(message),
      onUnreachable: (peer) => end.unreachable.push(peer),
      onEveryoneHas: (index) => end.everyoneHas.push(index),
      onHeld: (peer, incarnation, held) => end.held.push({ peer, incarnation, ...held }),
      onHello: (peer, said) => end.hellos.push({ peer, ...said }) > 0,
      standingOf: () => end.standing,
      cofounders: () => new Map([[1 as PeerId, "01".repeat(16)]]),
      onAnswer: (peer, answer) => end.answers.push({ peer, ...answer }),
    });
    return end;
  }

  /** Sends frames of a stranger's making to member 2 and gives what ends the stream. */
  async exchange(frames: readonly ExchangeRequest[]): Promise<unknown> {
    const network = this.network.forProcess(this.world.machine("stranger").startProcess());
    const requests = new AsyncQueue<ExchangeRequest>();
    for (const frame of frames) requests.push(frame);
    const read = async (): Promise<unknown> => {
      try {
        for await (const _ of network.client(RaftService, "m2:7000").exchange(requests));
        return "ended";
      } catch (error) {
        return error;
      }
    };
    return this.world.settle(read(), 10_000);
  }
}

function frame(over: Partial<Pick<ExchangeRequest, "clusterId" | "from" | "to" | "messages">>): ExchangeRequest {
  return create(ExchangeRequestSchema, {
    clusterId: "c",
    from: 1,
    to: 2,
    messages: [encodeMessage(heartbeat(1))],
    ...over,
  });
}

describe("NetworkTransport", () => {
  it("carries messages in order and says what everyone has", async () => {
    const pair = new Pair();
    const one = await pair.start(1 as PeerId);
    const two = await pair.start(2 as PeerId);
    await pair.world.runFor(500);
    for (let round = 1; round <= 50; round++) one.transport.send(heartbeat(round));
    expect(await pair.world.runUntil(() => two.received.length === 50, 2000)).toBe(true);
    expect(two.received).toEqual(Array.from({ length: 50 }, (_, index) => heartbeat(index + 1)));
    expect(two.everyoneHas.at(-1)).toBe(77);
  });

  it("tells a commit index with the entries that follow in the same turn, else by itself and soon", async () => {
    const pair = new Pair();
    const one = await pair.start(1 as PeerId);
    const two = await pair.start(2 as PeerId);
    await pair.world.runFor(500);
    const follow = async (): Promise<void> => {
      for (let step = 0; step < 20; step++) await Promise.resolve();
      one.transport.send(append(makeEntries(5, 5, 1)));
    };
    one.transport.send(append([]));
    void follow();
    expect(await pair.world.runUntil(() => two.received.length > 0, 100)).toBe(true);
    await pair.world.runFor(100);
    expect(two.received).toEqual([append(makeEntries(5, 5, 1))]);
    one.transport.send(append([]));
    expect(await pair.world.runUntil(() => two.received.length === 2, 20)).toBe(true);
  });

  it("says that a peer is away, comes back by itself, and does not deliver old news", async () => {
    const pair = new Pair();
    const one = await pair.start(1 as PeerId);
    for (let round = 1; round <= 20; round++) {
      one.transport.send(heartbeat(round));
      await pair.world.runFor(100);
    }
    expect(one.unreachable.length).toBeGreaterThan(0);
    const two = await pair.start(2 as PeerId);
    expect(await pair.world.runUntil(() => two.received.length > 0, 3000)).toBe(true);
    expect(two.received.length).toBeLessThan(4);
    expect(two.received.at(-1)).toEqual(heartbeat(20));
    pair.network.breakConnections("m1", "m2");
    await pair.world.runFor(200);
    one.transport.send(heartbeat(99));
    expect(
      await pair.world.runUntil(
        () => two.received.some((message) => message.kind === "heartbeatRequest" && message.round === 99),
        3000,
      ),
    ).toBe(true);
  });

  it("bounds what waits for a peer that does not take anything", async () => {
    const pair = new Pair();
    const one = await pair.start(1 as PeerId);
    const two = await pair.start(2 as PeerId);
    await pair.world.runFor(500);
    pair.network.block("m1", "m2");
    for (let round = 1; round <= 1000; round++) one.transport.send(heartbeat(round));
    expect(one.unreachable.length).toBeGreaterThan(500);
    pair.network.unblock("m1", "m2");
    expect(
      await pair.world.runUntil(
        () => two.received.some((message) => message.kind === "heartbeatRequest" && message.round === 1000),
        20_000,
      ),
    ).toBe(true);
  });

  it("refuses another cluster, another receiver, strangers and garbage, and goes on for its members", async () => {
    const pair = new Pair();
    const two = await pair.start(2 as PeerId);
    expect(await pair.exchange([frame({ clusterId: "other" })])).toMatchObject({ kind: "wrongCluster" });
    expect(await pair.exchange([frame({ to: 3 })])).toMatchObject({ kind: "wrongCluster" });
    expect(await pair.exchange([frame({ from: 9 })])).toMatchObject({ kind: "wrongCluster" });
    expect(await pair.exchange([frame({ messages: [Uint8Array.of(1, 2, 3)] })])).toMatchObject({
      kind: "invalidArgument",
    });
    const forged = encodeMessage({ ...heartbeat(1), from: 2 as PeerId, to: 1 as PeerId });
    expect(await pair.exchange([frame({ messages: [forged] })])).toMatchObject({ kind: "invalidArgument" });
    expect(two.received).toEqual([]);
    expect(two.logged.filter(({ event }) => event === "raft.message_refused").length).toBe(2);
    const one = await pair.start(1 as PeerId);
    one.transport.send(heartbeat(5));
    expect(await pair.world.runUntil(() => two.received.length === 1, 3000)).toBe(true);
  });

  it("does not talk to a member of another cluster, and says so in the log", async () => {
    const pair = new Pair();
    const two = await pair.start(2 as PeerId, { clusterId: "other" });
    const one = await pair.start(1 as PeerId);
    one.transport.send(heartbeat(1));
    await pair.world.runFor(3000);
    expect(two.received).toEqual([]);
    expect(
      one.logged.some(({ fields }) => fields?.["kind"] === "wrongCluster" || fields?.["answeredCluster"] === "other"),
    ).toBe(true);
  });

  it("delivers nothing after it was stopped", async () => {
    const pair = new Pair();
    const one = await pair.start(1 as PeerId);
    const two = await pair.start(2 as PeerId);
    await pair.world.runFor(500);
    await pair.world.settle(two.transport.stop(), 2000);
    one.transport.send(heartbeat(1));
    await pair.world.runFor(2000);
    expect(two.received).toEqual([]);
    await pair.world.settle(one.transport.stop(), 2000);
    one.transport.send(heartbeat(2));
  });
});
