import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ada, startHttpGateway, type HttpGateway } from "../testing/http-gateway.ts";

let edge: HttpGateway;
beforeAll(async () => {
  edge = await startHttpGateway({ gateway: { partSizeBytes: 256 * 1024 } });
});
afterAll(async () => edge.stop());

describe("reading", () => {
  const bytes = randomBytes(150_000);
  let id = "";
  beforeAll(async () => {
    id = await edge.store("range.bin", bytes);
  });

  test.each([
    ["bytes=0-0", 206, 0, 1],
    ["bytes=0-149999", 206, 0, 150_000],
    ["bytes=65530-65545", 206, 65_530, 65_546],
    ["bytes=149999-", 206, 149_999, 150_000],
    ["bytes=-1", 206, 149_999, 150_000],
    ["bytes=-999999", 206, 0, 150_000],
    ["bytes=100-999999", 206, 100, 150_000],
    ["bytes=5-4", 200, 0, 150_000],
    ["bytes=0-1,5-6", 200, 0, 150_000],
    ["lines=1-2", 200, 0, 150_000],
    ["bytes=x-y", 200, 0, 150_000],
  ])("%s", async (range, status, from, to) => {
    const response = await edge.get(id, { Range: range });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-range")).toBe(status === 206 ? `bytes ${from}-${to - 1}/150000` : null);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(from, to))).toBe(true);
  });

  test.each(["bytes=150000-", "bytes=150000-150001", "bytes=-0"])("%s lies outside", async (range) => {
    const response = await edge.get(id, { Range: range });
    expect({
      status: response.status,
      range: response.headers.get("content-range"),
      body: await response.json(),
    }).toMatchObject({
      status: 416,
      range: "bytes */150000",
      body: { kind: "invalidArgument" },
    });
  });

  test("tags, conditions and heads", async () => {
    const head = await fetch(`${edge.origin}/api/v1/files/${id}/content`, { method: "HEAD", headers: edge.bearer });
    const tag = head.headers.get("etag") ?? "";
    expect({
      status: head.status,
      length: head.headers.get("content-length"),
      ranges: head.headers.get("accept-ranges"),
    }).toEqual({ status: 200, length: "150000", ranges: "bytes" });
    expect(tag).toMatch(/^"v[0-9]+"$/);
    expect((await edge.get(id, { "If-None-Match": tag })).status).toBe(304);
    expect((await edge.get(id, { "If-None-Match": `"x", W/${tag}` })).status).toBe(304);
    expect((await edge.get(id, { "If-None-Match": `"x"` })).status).toBe(200);
    expect((await edge.get(id, { "If-Match": `"x"` })).status).toBe(412);
    expect((await edge.get(id, { Range: "bytes=0-1", "If-Range": tag })).status).toBe(206);
    expect((await edge.get(id, { Range: "bytes=0-1", "If-Range": `"x"` })).status).toBe(200);
    expect((await edge.get(id, { Range: "bytes=0-1", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT" })).status).toBe(200);
  });

  test("a page of somebody cannot run in ours", async () => {
    const html = await edge.store("evil.html", Buffer.from("<script>alert(1)</script>"));
    const response = await edge.get(html, {}, "?inline=1");
    expect(response.headers.get("content-security-policy")).toContain("sandbox");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-disposition")).toContain("inline");
    expect((await edge.get(html)).headers.get("content-disposition")).toMatch(/^attachment/);
  });

  test("names are told in a form every browser understands", async () => {
    const name = await edge.store(`näme "1" 🚀.txt`, Buffer.from("x"));
    const disposition = (await edge.get(name)).headers.get("content-disposition");
    expect(disposition).toBe(
      `attachment; filename="n_me _1_ _.txt"; filename*=UTF-8''n%C3%A4me%20%221%22%20%F0%9F%9A%80.txt`,
    );
  });

  test("what is not there, not a file, or not an id", async () => {
    expect((await edge.get("999999")).status).toBe(404);
    expect((await edge.get("abc")).status).toBe(400);
    const root = edge.masters.accounts.byEmail(ada.email)?.rootEntryId ?? 0n;
    expect((await edge.get(String(root))).status).toBe(400);
  });

  test("a file whose bytes are gone answers an error before any byte", async () => {
    const lost = await edge.store("lost.bin", randomBytes(100_000));
    edge.bytes.chunks.delete([...edge.bytes.chunks.keys()].at(-2) ?? 0n);
    const response = await edge.get(lost);
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 500,
      body: { kind: "dataLoss" },
    });
  });

  test("a file that breaks in the middle is cut short, never filled up", async () => {
    const broken = await edge.store("broken.bin", randomBytes(200_000));
    edge.bytes.chunks.delete([...edge.bytes.chunks.keys()].at(-1) ?? 0n);
    const response = await edge.get(broken);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
  });
});
