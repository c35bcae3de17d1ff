import { describe, expect, test } from "vitest";
import { ada, startSimulatedGateway } from "../testing/simulated-gateway.ts";

const none = { defaultUser: undefined, imported: [] };
const bob = {
  email: "bob@example.org",
  passwordHash: "$memory$x",
  phone: "+4915112345678",
  channels: ["sms"],
  isAdmin: false,
};

describe("accounts at the start", () => {
  test("wait for a leader, then the gateway is ready", async () => {
    const { gateway, masters, world } = startSimulatedGateway();
    masters.isDown = true;
    await world.runFor(30_000);
    expect((await gateway.readiness.check()).isReady).toBe(false);
    masters.isDown = false;
    await world.runFor(5000);
    expect(await gateway.readiness.check()).toEqual({ isReady: true, reason: "ready" });
    expect(masters.accounts.byEmail(ada.email)).toMatchObject({ isAdmin: true });
  });

  test("are imported, and one that exists stays as it is", async () => {
    const { masters, world, setupTokens } = startSimulatedGateway({
      firstAccounts: { defaultUser: { ...ada, email: bob.email }, imported: [bob] },
    });
    await world.runFor(1000);
    expect([...masters.accounts.users.values()]).toMatchObject([
      { email: bob.email, passwordHash: bob.passwordHash, phone: bob.phone, channels: ["sms"], isAdmin: false },
    ]);
    expect(setupTokens).toEqual([]);
  });

  test("without any, one set-up link is handed out, works once and goes away", async () => {
    const { gateway, world, setupTokens, scope, settle } = startSimulatedGateway({ firstAccounts: none });
    await world.runFor(1000);
    expect(setupTokens).toHaveLength(1);
    expect((await gateway.readiness.check()).isReady).toBe(true);
    const wish = {
      token: setupTokens[0] ?? "",
      email: "Ada@Example.org",
      password: ada.password,
      ip: "10.0.0.1",
      client: "test",
    };
    const setUp = (change: Partial<typeof wish>) => settle(gateway.sessions.setUp({ ...wish, ...change }, scope()));
    await expect(setUp({ token: "A".repeat(43) })).rejects.toMatchObject({ kind: "denied" });
    await expect(setUp({ token: "x" })).rejects.toMatchObject({ kind: "denied" });
    await expect(setUp({ password: "short" })).rejects.toMatchObject({ kind: "invalidArgument" });
    await expect(setUp({ email: "nobody" })).rejects.toMatchObject({ kind: "invalidArgument" });
    const { caller, token } = await setUp({});
    expect(caller).toMatchObject({ email: ada.email, isAdmin: true });
    expect((await settle(gateway.sessions.authenticate(token, scope()))).email).toBe(ada.email);
    await expect(setUp({ email: "eve@example.org" })).rejects.toMatchObject({ kind: "denied" });
    await world.runFor(5000);
    expect(setupTokens).toEqual([]);
  });

  test("the set-up link is renewed before it expires", async () => {
    const { world, setupTokens } = startSimulatedGateway({ firstAccounts: none });
    await world.runFor(13 * 3_600_000);
    expect(setupTokens).toHaveLength(2);
  });

  test("too few live chunkservers: not ready, and it says why", async () => {
    const { gateway, masters, world } = startSimulatedGateway();
    masters.liveNodeCount = 1;
    await world.runFor(1000);
    expect(await gateway.readiness.check()).toEqual({
      isReady: false,
      reason: "1 chunkservers are live, 2 are needed for a write",
    });
  });
});
