import { describe, expect, it } from "vitest";
import { FleetInWorld } from "../testing/fleet-in-world.ts";
import type { NodeInWorld } from "../testing/fleet-in-world.ts";

async function inWorld(body: (fleet: FleetInWorld) => Promise<void>): Promise<void> {
  const fleet = new FleetInWorld(5);
  const run = async (): Promise<void> => {
    await fleet.startLeader();
    await body(fleet);
  };
  await fleet.world.settle(run(), 600_000);
}

async function ready(fleet: FleetInWorld, node: NodeInWorld): Promise<void> {
  await fleet.until(() => node.chunkserver.readiness().isReady);
}

async function put(fleet: FleetInWorld, path: string, text: string): Promise<void> {
  const { disk } = fleet.world.machine("node-1").startProcess();
  await disk.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  const file = await disk.open(path, "openOrCreate");
  await file.write(new TextEncoder().encode(text), 0);
  await file.close();
}

async function read(fleet: FleetInWorld, path: string): Promise<string> {
  const { disk } = fleet.world.machine("node-1").startProcess();
  return new TextDecoder().decode(await disk.readFile(path));
}

describe("joining", () => {
  it("shows its credential until it belongs, and never again", () =>
    inWorld(async (fleet) => {
      const node = await fleet.startNode("node-1", { joinCredential: "secret", zone: "z1", rack: "r1" });
      await ready(fleet, node);
      await fleet.sleep(3000);
      node.process.crash();
      await ready(fleet, await fleet.startNode("node-1", { joinCredential: "secret", zone: "z1", rack: "r1" }));
      const credentials = fleet.leader.reports.map(({ joinCredential }) => joinCredential);
      expect(credentials[0]).toBe("secret");
      expect(credentials.slice(1).filter((credential) => credential !== "")).toEqual([]);
      expect(fleet.leader.reports[0]).toMatchObject({
        zone: "z1",
        rack: "r1",
        disks: [{ path: "/data", state: "ok" }],
      });
    }));

  it("comes back without being told its name and its masters", () =>
    inWorld(async (fleet) => {
      const first = await fleet.startNode("node-1");
      await ready(fleet, first);
      first.process.crash();
      const again = await fleet.startNode("node-1", { name: "", masterAddresses: [] });
      await ready(fleet, again);
      expect(fleet.leader.reports.at(-1)).toMatchObject({ name: "node-1" });
      expect(again.chunkserver.node()).toEqual(first.chunkserver.node());
    }));

  it("does not start without masters before it has joined, and says what to do", () =>
    inWorld(async (fleet) => {
      await expect(fleet.startNode("node-1", { masterAddresses: [] })).rejects.toThrow("join token");
    }));

  it("tells of a refusal in the masters' words, and goes on asking", () =>
    inWorld(async (fleet) => {
      fleet.leader.options = { ...fleet.leader.options, refuseWith: "The join token was used already." };
      const refusals: string[] = [];
      const node = await fleet.startNode("node-1", {}, { onRefused: ({ message }) => refusals.push(message) });
      await fleet.until(() => refusals.length > 1);
      expect(new Set(refusals)).toEqual(new Set(["The join token was used already."]));
      expect(node.chunkserver.node().nodeId).toBe(0);
      fleet.leader.options = { clusterId: "c1", term: 1 };
      await ready(fleet, node);
    }));

  it("refuses the welcome of another cluster than it is meant for", () =>
    inWorld(async (fleet) => {
      const refusals: string[] = [];
      const onRefused = ({ kind }: { readonly kind: string }): number => refusals.push(kind);
      const node = await fleet.startNode("node-1", { expectedClusterId: "c2" }, { onRefused });
      await fleet.until(() => refusals.length > 0);
      expect(refusals[0]).toBe("wrongCluster");
      expect(node.chunkserver.node()).toMatchObject({ clusterId: "", nodeId: 0 });
    }));

  it("refuses a directory of another cluster and leaves it as it is", () =>
    inWorld(async (fleet) => {
      const first = await fleet.startNode("node-1");
      await ready(fleet, first);
      first.process.crash();
      const before = await read(fleet, "/data/node.json");
      await expect(fleet.startNode("node-1", { expectedClusterId: "c2" })).rejects.toMatchObject({
        kind: "wrongCluster",
      });
      expect(await read(fleet, "/data/node.json")).toBe(before);
    }));

  it.each([
    ["/data/holiday.jpg", "not a chunkserver's (holiday.jpg)"],
    ["/data/chunks/00/00/0000000000000001.1", "no node.json"],
    ["/data/node.json", "cannot be read"],
  ])("refuses a directory with %s and leaves it as it is", (path, reason) =>
    inWorld(async (fleet) => {
      await put(fleet, path, "something");
      await expect(fleet.startNode("node-1")).rejects.toThrow(reason);
      expect(await read(fleet, path)).toBe("something");
    }),
  );

  it("takes an empty second directory for its own, and refuses one of another node", () =>
    inWorld(async (fleet) => {
      const first = await fleet.startNode("node-1");
      await ready(fleet, first);
      first.process.crash();
      const more = { moreDataDirectories: ["/more"] };
      const second = await fleet.startNode("node-1", more);
      await ready(fleet, second);
      expect(await read(fleet, "/more/node.json")).toBe(await read(fleet, "/data/node.json"));
      second.process.crash();
      await put(
        fleet,
        "/more/node.json",
        (await read(fleet, "/data/node.json")).replace(/"nodeUuid": "../, '"nodeUuid": "ff'),
      );
      await expect(fleet.startNode("node-1", more)).rejects.toThrow("different nodes");
    }));

  it("keeps its identity and term when its first directory is replaced by an empty one", () =>
    inWorld(async (fleet) => {
      fleet.leader.options = { ...fleet.leader.options, term: 7 };
      const more = { moreDataDirectories: ["/more"] };
      const first = await fleet.startNode("node-1", more);
      await ready(fleet, first);
      first.process.crash();
      const again = await fleet.startNode("node-1", { dataDirectory: "/new", ...more });
      await ready(fleet, again);
      expect(again.chunkserver.node()).toEqual(first.chunkserver.node());
      expect(await read(fleet, "/new/node.json")).toBe(await read(fleet, "/more/node.json"));
      again.process.crash();
      fleet.leader.options = { ...fleet.leader.options, term: 6 };
      const third = await fleet.startNode("node-1", { dataDirectory: "/new", ...more });
      await fleet.sleep(5000);
      expect(third.chunkserver.readiness().isReady).toBe(false);
    }));
});
