import { describe, expect, it } from "vitest";
import { masterPortNames, planGateway, planMasters, plannedNodeNames, planNode, portNamesOf } from "./plan.ts";
import type { PlannedProcess } from "./plan.ts";

const shape = {
  dataPath: "/data",
  runPath: "/data/run",
  clusterId: "c".repeat(32),
  host: "0.0.0.0",
  port: 8080,
  masters: 3,
  replication: 2,
  chunkSizeBytes: 4_194_304,
  preset: "demo",
  pagePath: "/page",
  joinSecretFile: "/data/join.secret",
  innerHost: "127.0.0.1",
  authority: undefined,
  supervisorAddress: "127.0.0.1:9",
  supervisorSecretFile: "/data/run/supervisor.secret",
  ports: { "master-1": 1, "master-2": 2, "master-3": 3 },
};

function after({ parameters }: PlannedProcess, flag: string): string | undefined {
  return parameters[parameters.indexOf(flag) + 1];
}

describe("the plan of a local cluster", () => {
  it("tells every process where all masters are, and gives each its own folder", () => {
    const masters = planMasters(shape);
    expect(masters.map(({ name }) => name)).toEqual(["master-1", "master-2", "master-3"]);
    for (const master of masters) expect(after(master, "--peers")).toBe("1=127.0.0.1:1,2=127.0.0.1:2,3=127.0.0.1:3");
    const node = planNode(shape, "node-7", { "node-7": 70, "node-7-health": 71 });
    expect(after(node, "--masters")).toBe("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    expect(after(node, "--listen")).toBe("127.0.0.1:70");
    expect(after(node, "--data")).toBe("/data/node-7");
    expect(after(planGateway(shape), "--host")).toBe("0.0.0.0");
  });

  it("names the files of secrets, so that no secret is in a process's flags", () => {
    const processes = [...planMasters(shape), planNode(shape, "node-1", {})];
    for (const process of processes) expect(after(process, "--join-secret-file")).toBe("/data/join.secret");
    expect(after(planGateway(shape), "--supervisor-secret-file")).toBe("/data/run/supervisor.secret");
  });

  it("speaks TLS at another address: masters have the authority's key, the others its certificate and the join secret", () => {
    const authority = { keyFile: "/data/authority.pem", certificateFile: "/data/authority.crt" };
    const spread = { ...shape, innerHost: "10.0.0.5", authority };
    const [master = planGateway(shape)] = planMasters(spread);
    expect([after(master, "--listen"), after(master, "--authority-file")]).toEqual([
      "10.0.0.5:1",
      "/data/authority.pem",
    ]);
    for (const process of [planNode(spread, "node-1", { "node-1": 70 }), planGateway(spread)]) {
      expect(after(process, "--masters")).toBe("10.0.0.5:1,10.0.0.5:2,10.0.0.5:3");
      expect(after(process, "--authority")).toBe("/data/authority.crt");
      expect(after(process, "--join-secret-file")).toBe("/data/join.secret");
      expect(process.parameters).not.toContain("/data/authority.pem");
    }
    expect(after(planGateway(spread), "--supervisor")).toBe("127.0.0.1:9");
    expect(planMasters(shape).flatMap(({ parameters }) => parameters)).not.toContain("--authority-file");
  });

  it("wants two ports for every master and chunkserver", () => {
    const names = [...masterPortNames(5), ...plannedNodeNames(9).flatMap(portNamesOf)];
    expect(new Set(names).size).toBe(28);
  });
});
