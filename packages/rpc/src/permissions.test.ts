import { ChunkControlService, ChunkDataService } from "@holdfast/proto/chunk/v1/chunk";
import { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import {
  CommandService,
  FleetService,
  JoinService,
  QueryService,
  WatchService,
} from "@holdfast/proto/master/v1/master";
import { RaftService } from "@holdfast/proto/raft/v1/raft";
import { describe, expect, test } from "vitest";
import { identityOfUri, uriOfIdentity, type PeerRole } from "./peer-identity.ts";
import { isOpenToAnybody, refusalOfCall, roleServing } from "./permissions.ts";

const clusterId = "c1".repeat(16);
const roles: readonly PeerRole[] = ["master", "node", "gateway"];
const mayCall = (path: string): readonly PeerRole[] =>
  roles.filter((role) => refusalOfCall(path, { clusterId, role, id: "1" }) === undefined);

describe("who may call what", () => {
  test.each([
    [RaftService, ["master"], "master"],
    [CommandService, ["node", "gateway"], "master"],
    [QueryService, ["master", "gateway"], "master"],
    [WatchService, ["gateway"], "master"],
    [FleetService, ["node"], "master"],
    [FleetQueryService, ["master", "gateway"], "master"],
    [ChunkDataService, ["node", "gateway"], "node"],
    [ChunkControlService, ["master", "node", "gateway"], "node"],
    [JoinService, ["master", "node", "gateway"], "master"],
  ] as const)("every method of $0.typeName", (service, callers, server) => {
    expect(roleServing(service.typeName)).toBe(server);
    for (const method of service.methods) {
      const path = `/${service.typeName}/${method.name}`;
      expect(mayCall(path)).toEqual(callers);
      expect(isOpenToAnybody(path)).toBe(service === JoinService);
    }
  });

  test("what nobody thought of is open to nobody", () => {
    expect(mayCall("/holdfast.new.v1.NewService/Do")).toEqual([]);
    expect(isOpenToAnybody("/holdfast.new.v1.NewService/Do")).toBe(false);
    expect(mayCall("")).toEqual([]);
  });
});

describe("identities", () => {
  test("survive their way through a certificate's name", () => {
    for (const identity of roles.map((role) => ({ clusterId, role, id: "gateway-1.x" })))
      expect(identityOfUri(uriOfIdentity(identity))).toEqual(identity);
  });

  test.each([
    "",
    `holdfast://${clusterId}/root/1`,
    `holdfast://${clusterId}/master/`,
    `holdfast://${clusterId}/master/1/2`,
    `holdfast://${clusterId}/master/1, URI:holdfast://${clusterId}/master/2`,
    `holdfast://${clusterId.toUpperCase()}/master/1`,
    `https://${clusterId}/master/1`,
    `holdfast://${clusterId}/master/1\n`,
  ])("%j is none", (uri) => {
    expect(identityOfUri(uri)).toBeUndefined();
  });
});
