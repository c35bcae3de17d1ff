import { expect, test } from "vitest";
import { createRecordingLogger } from "../recording-logger.ts";
import { startHealthServer, type Readiness } from "./health-server.ts";
import { createJsonLogger } from "./json-logger.ts";
import { createMetrics } from "./index.ts";

const clock = { wallMs: () => 0, monotonicMs: () => 0 };

test("a log line is one JSON object with bound and own fields; lower levels are dropped", () => {
  const lines: string[] = [];
  const logger = createJsonLogger({ clock, fields: { role: "master" }, write: (line) => lines.push(line) });
  logger.debug("a.b");
  logger.child({ node: 3 }).warn("disk.slow", { path: "x\ny", ms: 4, gone: undefined });
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"disk.slow","role":"master","node":3,"path":"x\\ny","ms":4}\n',
  ]);
});

test("a recording logger keeps its newest lines, children's included", () => {
  const logger = createRecordingLogger(2);
  logger.info("one");
  logger.child({ n: 1 }).error("two", { m: 2 });
  logger.info("three");
  expect(logger.records).toEqual([
    { level: "error", event: "two", fields: { n: 1, m: 2 } },
    { level: "info", event: "three", fields: {} },
  ]);
});

test("the health server answers liveness, readiness with its reason, metrics, and refuses the rest", async () => {
  let readiness: Readiness = { isReady: false, reason: "no leader is known" };
  const metrics = createMetrics();
  metrics.counter({ name: "a_total", help: "A" }).add();
  const logger = createRecordingLogger();
  const server = await startHealthServer({ address: "127.0.0.1:0", metrics, logger, readiness: () => readiness });
  const get = async (path: string, method = "GET"): Promise<[number, string]> => {
    const response = await fetch(`http://${server.address}${path}`, { method });
    return [response.status, await response.text()];
  };
  expect(await get("/healthz")).toEqual([200, "ok\n"]);
  expect(await get("/readyz")).toEqual([503, "no leader is known\n"]);
  readiness = { isReady: true };
  expect(await get("/readyz?x=1")).toEqual([200, "ready\n"]);
  expect((await get("/metrics"))[1]).toContain("a_total 1\n");
  expect((await get("/../etc/passwd"))[0]).toBe(404);
  expect((await get("/healthz", "POST"))[0]).toBe(405);
  await expect(
    startHealthServer({ address: server.address, metrics, logger, readiness: () => readiness }),
  ).rejects.toMatchObject({ kind: "precondition" });
  await server.stop();
});
