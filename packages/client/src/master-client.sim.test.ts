import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  CommandService,
  EndSessionSchema,
  ExecuteResponseSchema,
  GetEntryRequestSchema,
  GetEntryResponseSchema,
  QueryService,
  WatchResponseSchema,
  WatchService,
} from "@holdfast/proto/master/v1/master";
import type { ExecuteRequest } from "@holdfast/proto/master/v1/master";
import { serve } from "@holdfast/rpc";
import type { ServiceClient, ServiceHandlers } from "@holdfast/rpc";
import { createSimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { createMasterClient } from "./master-client.ts";
import type { MasterClient } from "./master-client.ts";

async function withMasters(
  body: (subject: {
    client: MasterClient;
    leader: { name: string };
    executed: [string, ExecuteRequest][];
  }) => Promise<void>,
): Promise<void> {
  const world = createSimWorld(2);
  const hub = createSimNetwork(world);
  const leader = { name: "m2" };
  const executed: [string, ExecuteRequest][] = [];
  const assertLeader = (name: string): void => {
    if (leader.name !== name)
      throw new HoldfastError("notLeader", "ask the leader", { leaderAddress: `${leader.name}:6000` });
  };
  const run = async (): Promise<void> => {
    for (const name of ["m1", "m2", "m3"]) {
      const commands: ServiceHandlers<typeof CommandService> = {
        execute: async (request) => {
          assertLeader(name);
          executed.push([name, request]);
          return create(ExecuteResponseSchema, { index: 7n });
        },
      };
      const queries = {
        getEntry: async () => {
          assertLeader(name);
          return create(GetEntryResponseSchema, { index: 8n });
        },
      } as unknown as ServiceHandlers<typeof QueryService>;
      const watch: ServiceHandlers<typeof WatchService> = {
        async *watch(request) {
          yield create(WatchResponseSchema, { index: request.fromIndex + 1n });
          throw new HoldfastError("unavailable", "the watch broke");
        },
      };
      const network = hub.forProcess(world.machine(name).startProcess());
      await network.listen(`${name}:6000`, [
        serve(CommandService, commands),
        serve(QueryService, queries),
        serve(WatchService, watch),
      ]);
    }
    const { clock, timers, random, ...process } = world.machine("gateway").startProcess();
    void process;
    const network = hub.forProcess(world.machine("gateway").processes()[0] as never);
    const client = createMasterClient({ addresses: ["m1:6000", "m2:6000", "m3:6000"], network, clock, timers, random });
    await body({ client, leader, executed });
  };
  await world.settle(run(), 600_000);
}

const scope = { requestId: "ab".repeat(16), actor: "user:1", signal: new AbortController().signal };
const command = { case: "endSession", value: create(EndSessionSchema) } as const;

describe("MasterClient", () => {
  it("finds the leader, follows it when it changes, and keeps the request's id and actor", () =>
    withMasters(async ({ client, leader, executed }) => {
      expect((await client.execute(command, scope)).index).toBe(7n);
      leader.name = "m3";
      expect((await client.execute(command, scope)).index).toBe(7n);
      expect(executed.map(([name, { requestId, actor }]) => [name, requestId, actor])).toEqual([
        ["m2", scope.requestId, "user:1"],
        ["m3", scope.requestId, "user:1"],
      ]);
    }));

  it("asks queries of the leader", () =>
    withMasters(async ({ client }) => {
      const queries: ServiceClient<typeof QueryService> = client.queries;
      expect((await queries.getEntry(create(GetEntryRequestSchema, { entryId: 1n }))).index).toBe(8n);
    }));

  it("watches, and asks another master after a break", () =>
    withMasters(async ({ client }) => {
      for (const fromIndex of [4n, 5n]) {
        const seen: bigint[] = [];
        const watching = (async () => {
          for await (const { index } of client.watch(fromIndex, scope.signal)) seen.push(index);
        })();
        await expect(watching).rejects.toMatchObject({ kind: "unavailable" });
        expect(seen).toEqual([fromIndex + 1n]);
      }
    }));

  it("gives up at its deadline with the last error", () =>
    withMasters(async ({ client, leader }) => {
      leader.name = "m9";
      await expect(client.execute(command, scope)).rejects.toMatchObject({
        kind: expect.stringMatching(/unavailable|notLeader|deadline/) as string,
      });
    }));
});
