import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAuthority, openAuthority } from "./authority.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { bitString, integer, objectId, sequence, tagged, time } from "./der.ts";
import { pemBlock } from "./pem.ts";

const clusterId = "c1".repeat(16);
const identity = { clusterId, role: "node", id: "ab".repeat(16) } as const;
const nowMs = Date.UTC(2026, 5, 1, 12);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("DER", () => {
  test.each([
    ["zero", integer(Buffer.from([0, 0])), "020100"],
    ["a number", integer(Buffer.from([0, 127])), "02017f"],
    ["a number that would be negative", integer(Buffer.from([0x80])), "02020080"],
    ["an object id", objectId("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
    ["bits", bitString(Buffer.from([0x80]), 7), "03020780"],
    ["a time before 2050", time(Date.UTC(2049, 11, 31, 23, 59, 59)), hex(tagged(0x17, Buffer.from("491231235959Z")))],
    ["a time from 2050 on", time(Date.UTC(2050, 0, 1)), hex(tagged(0x18, Buffer.from("20500101000000Z")))],
    ["nothing in order", sequence(), "3000"],
  ])("writes %s", (_what, der, expected) => {
    expect(hex(der)).toBe(expected);
  });

  test("every length, short and long, is read back by the rule of X.690 8.1.3", () => {
    fc.assert(
      fc.property(fc.nat(70_000), (length) => {
        const der = tagged(0x04, new Uint8Array(length));
        const first = der[1] ?? 0;
        const count = first < 0x80 ? 0 : first & 0x7f;
        const told = count === 0 ? first : Number.parseInt(hex(der.subarray(2, 2 + count)), 16);
        expect(told).toBe(length);
        expect(der.length).toBe(2 + count + length);
        // The shortest form.
        expect(count === 0 || told >= 0x80).toBe(true);
        expect(count === 0 || (der[2] ?? 0) > 0).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("certificates as OpenSSL reads them", () => {
  const file = createAuthority(clusterId, nowMs);
  const authority = new X509Certificate(pemBlock(file, "CERTIFICATE") ?? "");
  const { privateKey: _, ...request } = createCertificateRequest(identity);
  const issued = new X509Certificate(openAuthority(file).issue(request, identity, nowMs));

  test("the authority's is one, for thirty years, and signed by itself", () => {
    expect(authority.ca).toBe(true);
    expect(authority.subject).toBe(`CN=Holdfast cluster ${clusterId}`);
    expect(authority.issuer).toBe(authority.subject);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect(authority.validToDate.getUTCFullYear()).toBe(2056);
    expect(authority.subjectAltName).toBeUndefined();
  });

  test("a process's has its one name, no authority, ninety days, and the authority's signature", () => {
    expect(issued.ca).toBe(false);
    expect(issued.subjectAltName).toBe(`URI:holdfast://${clusterId}/node/${identity.id}`);
    expect(issued.subject).toBe(`CN=node ${identity.id}`);
    expect(issued.checkIssued(authority)).toBe(true);
    expect(issued.verify(authority.publicKey)).toBe(true);
    expect(issued.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(issued.validFromDate.getTime()).toBe(nowMs - 3_600_000);
    expect(issued.validToDate.getTime()).toBe(nowMs + 90 * 24 * 3_600_000);
    expect(issued.serialNumber).not.toBe(authority.serialNumber);
  });
});
