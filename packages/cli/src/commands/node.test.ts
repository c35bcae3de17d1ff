import { encodeJoinToken } from "@holdfast/base";
import { describe, expect, it } from "vitest";
import { chunkserverCall, sentenceOf } from "./node.ts";

const token = encodeJoinToken({
  clusterId: "a".repeat(32),
  masterAddresses: ["10.0.0.1:4100"],
  secret: "b".repeat(64),
});

describe("node start", () => {
  it("tells the chunkserver everything but the token by flags", () => {
    const words = ["--join", token, "--data", "/a", "--data", "/b,/c", "--name", "n", "--zone", "z", "--rack", "r"];
    const { parameters, environment } = chunkserverCall([...words, "--capacity-bytes", "5000"]);
    expect(parameters).toEqual([
      ...["--data", "/a", "--exit-on-refusal", "--more-data", "/b,/c"],
      ...["--name=n", "--zone=z", "--rack=r", "--capacity-bytes=5000"],
    ]);
    expect(environment).toEqual({ HOLDFAST_JOIN: token });
  });

  it("needs no token when the directory remembers its cluster", () => {
    expect(chunkserverCall(["--data", "/a"])).toEqual({
      parameters: ["--data", "/a", "--exit-on-refusal"],
      environment: {},
    });
  });

  it.each([
    [["--join", token], "--data DIR"],
    [["--data", ""], "--data DIR"],
    [["--data", "/a", "--join", "hfj_nonsense"], "not copied as a whole"],
    [["--data", "/a", "--join", "secret-of-something-else"], "begins with hfj_"],
    [["--data", "/a", "--colour", "red"], "--colour"],
    [["--data", "/a", "extra"], "extra"],
  ])("refuses %j in words", (words, reason) => {
    expect(() => chunkserverCall(words)).toThrow(reason);
    expect(() => chunkserverCall(words)).not.toThrow("secret-of-something-else");
  });

  it("says what people want to know and is silent about the rest", () => {
    expect(sentenceOf({ event: "chunkserver.joined", clusterId: "c1", nodeId: 5, name: "n" })).toBe(
      "Joined cluster c1 as n (node 5).",
    );
    expect(sentenceOf({ event: "process.starting" })).toBeUndefined();
  });
});
