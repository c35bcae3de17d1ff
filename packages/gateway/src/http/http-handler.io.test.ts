import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHttpGateway, type HttpGateway } from "../testing/http-gateway.ts";
import { sendRaw } from "./testing/raw-http.ts";

let edge: HttpGateway;
beforeAll(async () => {
  edge = await startHttpGateway({ gateway: { partSizeBytes: 256 * 1024 } });
});
afterAll(async () => edge.stop());

describe("limits and manners", () => {
  test("a head that is too large is refused", async () => {
    expect(await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
  });

  test("what is not HTTP is refused", async () => {
    expect(await sendRaw(edge.port, "hello\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
  });

  test("a message that is too large for a service is refused", async () => {
    const response = await fetch(`${edge.origin}/holdfast.drive.v1.DriveService/CreateFolder`, {
      method: "POST",
      body: JSON.stringify({ name: "x".repeat(2_000_000) }),
      headers: { ...edge.bearer, "Content-Type": "application/json" },
    });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ code: "resource_exhausted" });
  });

  test("unknown addresses and methods", async () => {
    expect((await fetch(`${edge.origin}/api/v1/nothing`)).status).toBe(404);
    expect((await fetch(`${edge.origin}/holdfast.drive.v1.DriveService/Nothing`, { method: "POST" })).status).toBe(404);
    const response = await fetch(`${edge.origin}/api/v1/files`, { method: "DELETE", headers: edge.bearer });
    expect({ status: response.status, allow: response.headers.get("allow") }).toEqual({ status: 405, allow: "PUT" });
    expect(await sendRaw(edge.port, "GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 400/,
    );
  });

  test("health", async () => {
    expect(await (await fetch(`${edge.origin}/healthz`)).text()).toBe("ok\n");
    expect((await fetch(`${edge.origin}/readyz`)).status).toBe(200);
    await edge.store("measured.txt", Buffer.from("x"));
    const metrics = await (await fetch(`${edge.origin}/metrics`)).text();
    expect(metrics).toContain(`holdfast_gateway_requests_total{route="PutFile",status="2xx"}`);
  });
});
