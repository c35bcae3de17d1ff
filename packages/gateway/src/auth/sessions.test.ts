import { create } from "@bufbuild/protobuf";
import { ChangeSchema } from "@holdfast/proto/master/v1/master";
import { describe, expect, test } from "vitest";
import { ada, startSimulatedGateway, type SimulatedGateway } from "../testing/simulated-gateway.ts";
import { tokenSha256 } from "./token.ts";

const origin = { ip: "10.0.0.1", client: "test" };

async function signedIn(
  options: Parameters<typeof startSimulatedGateway>[0] = {},
): Promise<SimulatedGateway & { token: string; signIn: () => Promise<string> }> {
  const simulated = startSimulatedGateway(options);
  await simulated.world.runFor(1000);
  const signIn = async (): Promise<string> => {
    const attempt = { ...ada, ...origin, channel: "browser" as const, keepSignedIn: false };
    return (await simulated.settle(simulated.gateway.sessions.signIn(attempt, simulated.scope()))).token;
  };
  return { ...simulated, token: await signIn(), signIn };
}

describe("a session", () => {
  test("that ended at another gateway is refused at once here", async () => {
    const { gateway, masters, world, token, scope, settle } = await signedIn();
    expect((await settle(gateway.sessions.authenticate(token, scope()))).email).toBe(ada.email);
    const hash = tokenSha256(token);
    masters.accounts.sessions.clear();
    masters.tellChange(create(ChangeSchema, { change: { case: "sessionGone", value: { tokenSha256: hash } } }));
    await world.runFor(10);
    await expect(settle(gateway.sessions.authenticate(token, scope()))).rejects.toMatchObject({
      kind: "unauthenticated",
    });
  });

  test("that ended unheard is refused within 10 s, or 30 s while no master answers", async () => {
    const { gateway, masters, world, token, scope, settle } = await signedIn();
    const ask = async (): Promise<unknown> =>
      settle(
        gateway.sessions.authenticate(token, scope()).then(
          () => "in",
          (thrown: { kind: string }) => thrown.kind,
        ),
      );
    expect(await ask()).toBe("in");
    masters.accounts.sessions.clear();
    expect(await ask()).toBe("in");
    masters.isDown = true;
    await world.runFor(29_000);
    expect(await ask()).toBe("in");
    await world.runFor(2000);
    expect(await ask()).toBe("unavailable");
    masters.isDown = false;
    expect(await ask()).toBe("unauthenticated");
  });

  test("is refused after its absolute life, however much it is used", async () => {
    const { gateway, world, token, scope, settle } = await signedIn();
    for (let hour = 0; hour < 7; hour++) {
      await world.runFor(3_600_000);
      await settle(gateway.sessions.authenticate(token, scope()));
    }
    await world.runFor(3_600_000);
    await expect(settle(gateway.sessions.authenticate(token, scope()))).rejects.toMatchObject({
      kind: "unauthenticated",
    });
  });

  test("is not brought back by an answer that is older than its end", async () => {
    const { gateway, masters, world, token, scope, settle } = await signedIn();
    const answerOf = masters.queries.getSession;
    let answerNow = (): void => undefined;
    Object.assign(masters.queries, {
      getSession: async (request: Parameters<typeof answerOf>[0]) => {
        const answer = await answerOf(request);
        await new Promise<void>((resolve) => (answerNow = resolve));
        return answer;
      },
    });
    const early = gateway.sessions.authenticate(token, scope());
    await world.runFor(1);
    masters.tellChange(
      create(ChangeSchema, { change: { case: "sessionGone", value: { tokenSha256: tokenSha256(token) } } }),
    );
    await world.runFor(10);
    answerNow();
    await settle(early);
    await expect(settle(gateway.sessions.authenticate(token, scope()))).rejects.toMatchObject({
      kind: "unauthenticated",
    });
  });
});

test("a new password ends the other sessions and no other", async () => {
  const { gateway, world, token, signIn, scope, settle } = await signedIn();
  const other = await signIn();
  const caller = await settle(gateway.sessions.authenticate(token, scope()));
  await settle(gateway.sessions.authenticate(other, scope()));
  const change = (oldPassword: string, newPassword: string): Promise<void> =>
    settle(gateway.sessions.changePassword(caller, { oldPassword, newPassword }, scope()));
  await expect(change("wrong password", "a newer password")).rejects.toMatchObject({ kind: "unauthenticated" });
  await expect(change(ada.password, "short")).rejects.toMatchObject({ kind: "invalidArgument" });
  await change(ada.password, "a newer password");
  await world.runFor(10);
  expect((await settle(gateway.sessions.authenticate(token, scope()))).userId).toBe(caller.userId);
  await expect(settle(gateway.sessions.authenticate(other, scope()))).rejects.toMatchObject({
    kind: "unauthenticated",
  });
  await expect(signIn()).rejects.toMatchObject({ kind: "unauthenticated" });
});

test("waiting as told lets the owner in again", async () => {
  const { gateway, world, signIn, scope, settle } = await signedIn();
  const guess = { ...ada, ...origin, password: "wrong password", channel: "browser" as const, keepSignedIn: false };
  for (let count = 0; count < 3; count++)
    await expect(settle(gateway.sessions.signIn(guess, scope()))).rejects.toMatchObject({ kind: "unauthenticated" });
  await expect(signIn()).rejects.toMatchObject({ kind: "tooBusy", message: expect.stringContaining("Wait 1 s") });
  await world.runFor(1000);
  expect(await signIn()).toHaveLength(43);
});

test("an outage costs nobody an attempt", async () => {
  const { masters, signIn } = await signedIn();
  masters.isDown = true;
  for (let count = 0; count < 20; count++) await expect(signIn()).rejects.toMatchObject({ kind: "unavailable" });
  masters.isDown = false;
  expect(await signIn()).toHaveLength(43);
});

test("a disabled account is refused with the words of a wrong password", async () => {
  const { masters, token, gateway, world, signIn, scope, settle } = await signedIn();
  Object.assign(masters.accounts.byEmail(ada.email) ?? {}, { isDisabled: true });
  await expect(signIn()).rejects.toMatchObject({
    kind: "unauthenticated",
    message: expect.stringContaining("password is wrong"),
  });
  await world.runFor(11_000);
  await expect(settle(gateway.sessions.authenticate(token, scope()))).rejects.toMatchObject({
    kind: "unauthenticated",
  });
});
