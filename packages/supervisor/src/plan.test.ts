import { describe, expect, it } from "vitest";
import { planCluster, portNames } from "./plan.ts";

const shape = {
  dataPath: "/data",
  runPath: "/data/run",
  clusterId: "c".repeat(32),
  host: "0.0.0.0",
  port: 8080,
  masters: 3,
  chunkservers: 2,
  replication: 2,
  chunkSizeBytes: 4_194_304,
  preset: "demo",
  pagePath: "/page",
  ports: { "master-1": 1, "master-2": 2, "master-3": 3, "node-1": 4, "node-2": 5 },
};

describe("the plan of a local cluster", () => {
  it("names every process once, masters first, the gateway last", () => {
    const names = planCluster(shape).map((process) => process.name);
    expect(names).toEqual(["master-1", "master-2", "master-3", "node-1", "node-2", "gateway-1"]);
  });
  it("tells every process where all masters are, and gives each its own folder", () => {
    const processes = planCluster(shape);
    const after = (name: string, flag: string): string | undefined => {
      const { parameters = [] } = processes.find((process) => process.name === name) ?? {};
      return parameters[parameters.indexOf(flag) + 1];
    };
    expect(after("master-2", "--peers")).toBe("1=127.0.0.1:1,2=127.0.0.1:2,3=127.0.0.1:3");
    expect(after("node-1", "--masters")).toBe("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    expect(after("node-2", "--data")).toBe("/data/node-2");
    expect(after("gateway-1", "--host")).toBe("0.0.0.0");
  });
  it("wants two ports for every master and chunkserver", () => {
    expect(portNames(3, 2)).toHaveLength(10);
    expect(new Set(portNames(5, 9)).size).toBe(28);
  });
});
