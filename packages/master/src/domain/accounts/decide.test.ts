import { beforeEach, describe, expect, it } from "vitest";
import type { DomainCommand } from "../commands.ts";
import { orderedCount, orderedPage } from "../ordered-index.ts";
import { createUser, DomainWorld } from "../../testing/domain-world.ts";
import { decideExpireSessions, sessionsOfUserMax } from "./decide-sessions.ts";
import {
  sessionExpirySet,
  sessionsSet,
  sessionTable,
  setupTable,
  userByEmailTable,
  usersSet,
  usersTable,
} from "./state.ts";

let world: DomainWorld;

beforeEach(() => {
  world = new DomainWorld();
});

function startSession(userId: number, tokenSha256: Uint8Array, lifetimeMs = 1000): DomainCommand {
  return { kind: "startSession", tokenSha256, userId, channel: "browser", lifetimeMs, client: "Firefox" };
}

describe("createUser", () => {
  it("makes an account with a root folder", () => {
    const { userId, entryId } = world.must(createUser({ email: "  Ann@Example.ORG " }));
    expect(world.tables.get(userByEmailTable, ["ann@example.org"])).toEqual({ userId });
    expect(world.tables.get(usersTable, [userId])).toMatchObject({
      email: "ann@example.org",
      rootEntryId: entryId,
      isDisabled: false,
    });
  });

  it.each([
    ["no at", { email: "ann" }],
    ["two at", { email: "a@b@c" }],
    ["blank inside", { email: "a b@c" }],
    ["NUL", { email: "a\0@c" }],
    ["lone surrogate", { email: "\ud800@c" }],
    ["300 bytes", { email: `${"x".repeat(300)}@c` }],
    ["empty", { email: "" }],
    ["clear password", { passwordHash: "secret" }],
    ["empty hash", { passwordHash: "" }],
    ["hash with newline", { passwordHash: "$argon2id$a\nb" }],
    ["long hash", { passwordHash: `$argon2id$${"x".repeat(600)}` }],
    ["bad phone", { phone: "0171" }],
    ["unknown channel", { channels: ["pigeon"] }],
    ["channel twice", { channels: ["sms", "sms"] }],
  ])("refuses %s", (_why, change) => {
    expect(world.run(createUser(change))).toBe("invalidArgument");
    expect(orderedCount(world.tables, usersSet)).toBe(0);
  });

  it("refuses a second account, keeps it, or sets it anew", () => {
    const { userId, entryId } = world.must(createUser());
    const token = world.token();
    world.must(startSession(userId, token));
    expect(world.run(createUser({ email: "ANN@example.org" }))).toBe("nameTaken");
    expect(world.run(createUser({ keepExisting: true }))).toEqual({ userId, entryId });
    const passwordHash = "$argon2id$other";
    expect(world.run(createUser({ isForced: true, passwordHash, isAdmin: true }))).toEqual({ userId, entryId });
    expect(world.tables.get(usersTable, [userId])).toMatchObject({ passwordHash, isAdmin: true, rootEntryId: entryId });
    expect(world.tables.get(sessionTable, [token])).toBeUndefined();
  });

  it("takes the set-up token once, in time, and only for the first account", () => {
    const tokenSha256 = world.token();
    world.must({ kind: "issueSetupToken", tokenSha256, lifetimeMs: 1000 });
    expect(world.run(createUser({ setupTokenSha256: world.token() }))).toBe("denied");
    expect(world.run(createUser({ setupTokenSha256: Uint8Array.of(1) }))).toBe("denied");
    world.atMs += 2000;
    expect(world.run(createUser({ setupTokenSha256: tokenSha256 }))).toBe("denied");
    world.must({ kind: "issueSetupToken", tokenSha256, lifetimeMs: 1000 });
    const { userId } = world.must(createUser({ setupTokenSha256: tokenSha256 }));
    expect(world.tables.get(usersTable, [userId])?.isAdmin).toBe(true);
    expect(world.tables.get(setupTable, [])).toBeUndefined();
    expect(world.run(createUser({ email: "eve@example.org", setupTokenSha256: tokenSha256 }))).toBe("denied");
    expect(world.run({ kind: "issueSetupToken", tokenSha256, lifetimeMs: 1000 })).toBe("precondition");
  });

  it("refuses malformed set-up tokens", () => {
    expect(world.run({ kind: "issueSetupToken", tokenSha256: new Uint8Array(31), lifetimeMs: 1000 })).toBe(
      "invalidArgument",
    );
    expect(world.run({ kind: "issueSetupToken", tokenSha256: world.token(), lifetimeMs: 0 })).toBe("invalidArgument");
    expect(
      world.run({ kind: "issueSetupToken", tokenSha256: world.token(), lifetimeMs: Number.MAX_SAFE_INTEGER }),
    ).toBe("invalidArgument");
  });
});

describe("sessions", () => {
  let userId: number;
  beforeEach(() => {
    ({ userId } = world.user());
  });

  it("start, are listed newest first, and end", () => {
    const tokens = [world.token(), world.token()];
    for (const token of tokens) world.must(startSession(userId, token));
    const listed = orderedPage(world.tables, sessionsSet(userId), { offset: 0, limit: 10 }).map((key) => key.slice(8));
    expect(listed).toEqual(tokens.toReversed());
    for (const tokenSha256 of tokens) world.must({ kind: "endSession", tokenSha256, userId: 0 });
    expect(orderedCount(world.tables, sessionsSet(userId))).toBe(0);
    expect(orderedCount(world.tables, sessionExpirySet)).toBe(0);
  });

  it("refuse unknown and disabled accounts, bad tokens, channels and lifetimes, and a token twice", () => {
    const token = world.token();
    expect(world.run(startSession(99, token))).toBe("notFound");
    expect(world.run(startSession(userId, new Uint8Array(16)))).toBe("invalidArgument");
    expect(world.run(startSession(userId, token, 0))).toBe("invalidArgument");
    expect(world.run(startSession(userId, token, Number.MAX_SAFE_INTEGER))).toBe("invalidArgument");
    expect(world.run({ ...startSession(userId, token), channel: "fax" } as DomainCommand)).toBe("invalidArgument");
    world.must(startSession(userId, token));
    expect(world.run(startSession(userId, token))).toBe("precondition");
    world.must({ kind: "disableUser", userId });
    expect(world.run(startSession(userId, world.token()))).toBe("denied");
  });

  it("end only for their owner, and for nobody without complaint", () => {
    const token = world.token();
    world.must(startSession(userId, token));
    expect(world.run({ kind: "endSession", tokenSha256: token, userId: 99 })).toBe("notFound");
    expect(world.run({ kind: "endSession", tokenSha256: world.token(), userId: 0 })).toEqual({});
    expect(world.run({ kind: "endSession", tokenSha256: new Uint8Array(1), userId: 0 })).toBe("invalidArgument");
  });

  it("end with a new password but the one that is kept, and with the account", () => {
    const [kept, lost] = [world.token(), world.token()];
    for (const token of [kept, lost]) world.must(startSession(userId, token));
    world.must({ kind: "changePassword", userId, passwordHash: "$argon2id$new", keepTokenSha256: kept });
    expect(world.tables.get(sessionTable, [lost])).toBeUndefined();
    expect(world.tables.get(sessionTable, [kept])).toBeDefined();
    world.must({ kind: "disableUser", userId });
    expect(world.tables.get(sessionTable, [kept])).toBeUndefined();
    expect(world.decide({ kind: "disableUser", userId })).toMatchObject({ value: { events: [] } });
    expect(
      world.run({ kind: "changePassword", userId: 99, passwordHash: "$argon2id$new", keepTokenSha256: kept }),
    ).toBe("notFound");
    expect(world.run({ kind: "disableUser", userId: 99 })).toBe("notFound");
  });

  it("push out the oldest beyond the limit", () => {
    const first = world.token();
    world.must(startSession(userId, first));
    for (let count = 1; count < sessionsOfUserMax; count++) world.must(startSession(userId, world.token()));
    expect(world.tables.get(sessionTable, [first])).toBeDefined();
    world.must(startSession(userId, world.token()));
    expect(world.tables.get(sessionTable, [first])).toBeUndefined();
    expect(orderedCount(world.tables, sessionsSet(userId))).toBe(sessionsOfUserMax);
  });

  it("expire in order, a few at a time", () => {
    const tokens = [500, 100, 300].map((lifetimeMs) => {
      const token = world.token();
      world.must(startSession(userId, token, lifetimeMs));
      return token;
    });
    const atMs = world.atMs + 350;
    expect(world.apply(decideExpireSessions(world.tables, { atMs, eventsMax: 1 }))).toBe(1);
    expect(world.tables.get(sessionTable, [tokens[1] ?? world.token()])).toBeUndefined();
    expect(world.apply(decideExpireSessions(world.tables, { atMs, eventsMax: 10 }))).toBe(1);
    expect(world.apply(decideExpireSessions(world.tables, { atMs, eventsMax: 10 }))).toBe(0);
  });

  it("keep a short, clean word about the client", () => {
    const token = world.token();
    world.must({ ...startSession(userId, token), client: `a\n${"ä".repeat(300)}` } as DomainCommand);
    expect(world.tables.get(sessionTable, [token])?.client).toBe(`a ${"ä".repeat(99)}`);
  });
});
