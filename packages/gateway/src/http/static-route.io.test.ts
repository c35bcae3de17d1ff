import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHttpGateway, type HttpGateway } from "../testing/http-gateway.ts";
import { sendRaw } from "./testing/raw-http.ts";

let edge: HttpGateway;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-page-"));
  await mkdir(join(directory, "page/assets"), { recursive: true });
  await writeFile(join(directory, "secret.txt"), "secret");
  await writeFile(join(directory, "page/index.html"), "<!doctype html>drive");
  await writeFile(join(directory, "page/admin.html"), "<!doctype html>admin");
  await writeFile(join(directory, "page/assets/app-1a2b.js"), "script()");
  await writeFile(join(directory, "page/assets/app-1a2b.js.gz"), gzipSync("script()"));
  edge = await startHttpGateway({ http: { webDirectory: join(directory, "page") } });
});
afterAll(async () => {
  await edge.stop();
  await rm(directory, { recursive: true });
});

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(edge.origin + path, { headers });

test("the page answers at every address of the application, under a strict policy", async () => {
  for (const path of ["/", "/f/12", "/signin", "/setup?token=x"]) {
    const response = await get(path, { Accept: "text/html" });
    expect(await response.text()).toBe("<!doctype html>drive");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("content-security-policy")).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  }
  expect(await (await get("/admin/nodes", { Accept: "text/html" })).text()).toBe("<!doctype html>admin");
});

test("hashed assets are kept for ever and sent compressed", async () => {
  const plain = await get("/assets/app-1a2b.js", { "Accept-Encoding": "identity" });
  expect({ text: await plain.text(), cache: plain.headers.get("cache-control") }).toEqual({
    text: "script()",
    cache: "public, max-age=31536000, immutable",
  });
  const raw = await sendRaw(
    edge.port,
    "GET /assets/app-1a2b.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip\r\nConnection: close\r\n\r\n",
  );
  const [head = "", body = ""] = raw.split("\r\n\r\n");
  expect(head).toContain("Content-Encoding: gzip");
  expect(gunzipSync(Buffer.from(body, "latin1")).toString()).toBe("script()");
  const tag = plain.headers.get("etag") ?? "";
  expect((await get("/assets/app-1a2b.js", { "If-None-Match": tag })).status).toBe(304);
  expect(
    (
      await fetch(`${edge.origin}/assets/app-1a2b.js`, { method: "HEAD", headers: { "Accept-Encoding": "identity" } })
    ).headers.get("content-length"),
  ).toBe("8");
});

test.each([
  "/../secret.txt",
  "/..%2fsecret.txt",
  "/%2e%2e/secret.txt",
  "/assets/../../secret.txt",
  "/assets/..%5c..%5csecret.txt",
  "//etc/passwd.txt",
  "/%00.txt",
  "/%ff.txt",
  "/assets/missing.js",
])("%s leads nowhere", async (path) => {
  const answer = await sendRaw(edge.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 40[04]/);
  expect(answer).not.toContain("secret\n");
});

test("a page that is not built is said to be, and is found once it is", async () => {
  const target = join(directory, "later");
  const later = await startHttpGateway({ http: { webDirectory: target } });
  const before = await fetch(`${later.origin}/`);
  expect({ status: before.status, body: await before.json() }).toMatchObject({
    status: 503,
    body: { kind: "unavailable" },
  });
  await mkdir(target);
  await writeFile(join(target, "index.html"), "built");
  let text = "";
  while (text !== "built") text = await (await fetch(`${later.origin}/`)).text();
  await later.stop();
});
