import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeJoinToken, encodeJoinToken, joinTokenPrefix, isOnLoopback } from "./join-token.ts";

const token = {
  clusterId: "0123456789abcdef".repeat(2),
  masterAddresses: ["127.0.0.1:4100", "master-2.example.org:4100", "[fd00::3]:4100"],
  secret: "f".repeat(64),
};

/** A token's text with its fields replaced, checksum and all: what a foreign or hostile maker could hand out. */
function forged(fields: unknown): string {
  const body = Buffer.from(JSON.stringify(fields)).toString("base64url");
  let hash = 0x811c9dc5;
  for (const character of body) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return joinTokenPrefix + (hash >>> 0).toString(36).padStart(7, "0") + body;
}

describe("a join token", () => {
  it("is one word that reads back as what it was made of, also with spaces around it", () => {
    const text = encodeJoinToken(token);
    expect(text).toMatch(/^hfj_[A-Za-z0-9_-]+$/);
    expect(decodeJoinToken(` ${text}\n`)).toEqual({ ok: true, value: token });
  });

  it("reads back for any cluster, masters and secret", () => {
    const hex = (length: number): fc.Arbitrary<string> =>
      fc
        .array(fc.constantFrom(...Array.from("0123456789abcdef")), { minLength: length, maxLength: length })
        .map((digits) => digits.join(""));
    const address = fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`);
    fc.assert(
      fc.property(
        hex(32),
        fc.array(address, { minLength: 1, maxLength: 9 }),
        hex(64),
        (clusterId, masterAddresses, secret) => {
          const made = { clusterId, masterAddresses, secret };
          expect(decodeJoinToken(encodeJoinToken(made))).toEqual({ ok: true, value: made });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is refused after any one character changed or went missing", () => {
    const text = encodeJoinToken(token);
    for (let index = 0; index < text.length; index++) {
      const other = text[index] === "x" ? "y" : "x";
      expect(decodeJoinToken(text.slice(0, index) + other + text.slice(index + 1)).ok).toBe(false);
      expect(decodeJoinToken(text.slice(0, index) + text.slice(index + 1)).ok).toBe(false);
    }
  });

  it.each([
    ["", "begins with hfj_"],
    ["hello", "begins with hfj_"],
    ["hfj_", "not copied as a whole"],
    [`hfj_${"A".repeat(100_000)}`, "not copied as a whole"],
    [forged("text"), "cannot be read"],
    [forged({ v: 2, c: token.clusterId, m: token.masterAddresses, s: token.secret }), "another version"],
    [forged({ v: 1, c: "short", m: token.masterAddresses, s: token.secret }), "cluster id"],
    [forged({ v: 1, c: token.clusterId, m: [], s: token.secret }), "no masters"],
    [forged({ v: 1, c: token.clusterId, m: ["http://x/"], s: token.secret }), "host:port"],
    [forged({ v: 1, c: token.clusterId, m: ["host:0"], s: token.secret }), "host:port"],
    [forged({ v: 1, c: token.clusterId, m: ["host:70000"], s: token.secret }), "host:port"],
    [forged({ v: 1, c: token.clusterId, m: token.masterAddresses, s: 7 }), "secret"],
  ])("refuses %.40j in words", (text, reason) => {
    const decoded = decodeJoinToken(text);
    expect(decoded).toMatchObject({ ok: false });
    expect(!decoded.ok && decoded.error).toContain(reason);
  });

  it("does not repeat the secret in what it says", () => {
    const decoded = decodeJoinToken(encodeJoinToken(token).slice(0, -1));
    expect(JSON.stringify(decoded)).not.toContain("fff");
  });

  it("carries the fingerprint of the cluster's authority where there is one, and refuses what is none", () => {
    const secured = { ...token, authorityFingerprint: "ab".repeat(32) };
    expect(decodeJoinToken(encodeJoinToken(secured))).toEqual({ ok: true, value: secured });
    const { clusterId: c, masterAddresses: m, secret: s } = token;
    for (const f of ["ab", 7, null, { toString: () => "ab".repeat(32) }])
      expect(decodeJoinToken(forged({ v: 1, c, m, s, f }))).toMatchObject({ ok: false });
  });

  it("is known to stay on its machine when all masters are on loopback", () => {
    expect(isOnLoopback({ masterAddresses: ["127.0.0.1:1", "localhost:2", "[::1]:3"] })).toBe(true);
    for (const address of ["10.0.0.1:1", "localhost.example.org:1", "127.example.org:1", "[fd00::3]:1"])
      expect(isOnLoopback({ masterAddresses: ["127.0.0.1:1", address] })).toBe(false);
  });

  it("cannot be made of fields that could not be read", () => {
    expect(() => encodeJoinToken({ ...token, secret: "short" })).toThrow(RangeError);
    expect(() => encodeJoinToken({ ...token, masterAddresses: ["no port"] })).toThrow(RangeError);
  });
});
