import { X509Certificate } from "node:crypto";
import { must } from "@holdfast/base";
import { createRecordingLogger } from "@holdfast/observability";
import type { TlsCredentials } from "@holdfast/rpc/node";
import { createSimWorld } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import { createAuthority, openAuthority } from "./authority.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { ClusterTrust } from "./cluster-trust.ts";
import { keepRenewed } from "./renewal.ts";

const clusterId = "c1".repeat(16);
const identity = { clusterId, role: "node", id: "ab".repeat(16) } as const;
const dayMs = 24 * 3_600_000;

test("a certificate is renewed in its last third, again after a failure, and never expires while masters answer", async () => {
  const world = createSimWorld(1);
  const { clock, timers } = world.machine("node").startProcess();
  const logger = createRecordingLogger();
  const authority = openAuthority(createAuthority(clusterId, clock.wallMs()));
  const issue = (): TlsCredentials => {
    const { privateKey, ...request } = createCertificateRequest(identity);
    const certificate = authority.issue(request, identity, clock.wallMs());
    return { authority: authority.certificate, own: { certificate, privateKey } };
  };
  const trust = new ClusterTrust(clusterId, issue());
  const first = trust.current();
  let failuresLeft = 2;
  const stop = keepRenewed(
    trust,
    async () => {
      if (failuresLeft-- > 0) throw new Error("no master answers");
      return issue();
    },
    { clock, timers, logger },
  );
  const leftMs = (): number => {
    const own = must(trust.current()?.own, "it has one from the start");
    return new X509Certificate(own.certificate).validToDate.getTime() - clock.wallMs();
  };
  await world.runFor(59 * dayMs);
  expect(trust.current()).toBe(first);
  await world.runFor(2 * dayMs);
  expect(trust.current()).not.toBe(first);
  expect(logger.records.filter(({ event }) => event === "trust.renewal_failed")).toHaveLength(2);
  for (let month = 0; month < 12; month++) {
    await world.runFor(30 * dayMs);
    expect(leftMs()).toBeGreaterThan(29 * dayMs);
  }
  stop();
});
