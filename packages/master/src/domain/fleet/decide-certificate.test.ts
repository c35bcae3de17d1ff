import { describe, expect, test } from "vitest";
import { ChunkWorld } from "../chunks/testing/chunk-world.ts";
import { decideCertificate, type CertificateWish } from "./decide-certificate.ts";
import { decideFleet } from "./decide-fleet.ts";
import { readRefusedNodes } from "./refused-nodes.ts";

const uuidOf = (nodeId: number): string => `${nodeId}`.padStart(32, "0");
const newcomer = "ab".repeat(16);
const tokenSha256 = new Uint8Array(32).fill(1);
const nothing = { isAdmitted: false, credentialSha256: undefined };
const token = { isAdmitted: false, credentialSha256: tokenSha256 };
const secret = { isAdmitted: true, credentialSha256: undefined };

/** Node 2 was removed; one join token is out. */
function world(): ChunkWorld {
  const made = new ChunkWorld();
  made.fold({ kind: "nodeRemoved", nodeId: 2, copiesLeft: 0 });
  const value = { tokenSha256, lifetimeMs: 600_000, label: "", replacesNodeId: 0 };
  const order = { case: "issueJoinToken", value } as const;
  const decided = decideFleet(made.tables, { kind: "fleet", order, candidateChunkIds: [] }, made.context);
  if (decided.ok) made.fold(...decided.value.events);
  return made;
}

const wish = (role: string, id: string, caller?: CertificateWish["caller"]): CertificateWish => ({ role, id, caller });
const itself = { role: "node", id: uuidOf(1) };

describe("who gets a certificate", () => {
  test.each([
    ["a newcomer with a token", wish("node", newcomer), token],
    ["a newcomer with the join secret", wish("node", newcomer), secret],
    ["a node of the cluster with its certificate", wish("node", uuidOf(1), itself), nothing],
    ["a node of the cluster with the join secret", wish("node", uuidOf(1)), secret],
    ["a gateway with the join secret", wish("gateway", "gateway-1"), secret],
    ["a gateway with its certificate", wish("gateway", "g", { role: "gateway", id: "g" }), nothing],
  ])("%s", (_who, asked, proof) => {
    expect(decideCertificate(world().tables, asked, { proof, atMs: 1000 })).toEqual({ ok: true, value: undefined });
  });

  test.each([
    ["nobody without a proof", wish("node", newcomer), nothing, "denied", "showed none"],
    [
      "nobody with a strange token",
      wish("node", newcomer),
      { ...token, credentialSha256: new Uint8Array(32) },
      "denied",
      "not one of",
    ],
    ["no gateway with a token", wish("gateway", "gateway-1"), token, "denied", "join secret only"],
    [
      "nobody as a node of the cluster, with a token",
      wish("node", uuidOf(1)),
      token,
      "denied",
      "certificate of its own",
    ],
    ["no node as another one", wish("node", uuidOf(3), itself), nothing, "denied", "certificate of its own"],
    ["no node as a gateway of its name", wish("gateway", uuidOf(1), itself), nothing, "denied", "join secret only"],
    [
      "no removed node, whatever it shows",
      wish("node", uuidOf(2), { role: "node", id: uuidOf(2) }),
      secret,
      "precondition",
      "was removed",
    ],
    ["no master", wish("master", "1"), secret, "invalidArgument", "for a node by its uuid"],
    ["nobody with another kind of name", wish("node", "../1"), secret, "invalidArgument", "for a node by its uuid"],
    ["no gateway with a slash", wish("gateway", "a/b"), secret, "invalidArgument", "a gateway by its name"],
  ] as const)("%s", (_who, asked, proof, kind, reason) => {
    expect(decideCertificate(world().tables, asked, { proof, atMs: 1000 })).toMatchObject({
      ok: false,
      error: { kind, message: expect.stringContaining(reason) },
    });
  });

  test("an expired token is none", () => {
    const asked = decideCertificate(world().tables, wish("node", newcomer), { proof: token, atMs: 700_000 });
    expect(asked).toMatchObject({ ok: false, error: { message: expect.stringContaining("expired") } });
  });

  test("removed nodes are refused by uuid, with the reason", () => {
    const refused = readRefusedNodes(world().tables);
    expect([...refused.keys()]).toEqual([uuidOf(2)]);
    expect(refused.get(uuidOf(2))).toContain("node-2 was removed from this cluster");
  });
});
