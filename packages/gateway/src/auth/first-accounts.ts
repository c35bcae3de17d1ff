import { create } from "@bufbuild/protobuf";
import { assert, HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import {
  CreateUserSchema,
  GetUserRequestSchema,
  IssueSetupTokenSchema,
  ListUsersRequestSchema,
  type CreateUser,
} from "@holdfast/proto/master/v1/master";
import { linkAbort, type Random, type Timers } from "@holdfast/runtime";
import type { Masters } from "../drive/ports.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import { newToken, tokenSha256 } from "./token.ts";
import type { ImportedAccount } from "./user-store.ts";

/** Hands the one-time set-up link to whoever started the cluster, as a port. */
export interface SetupLink {
  /** Replaces the one that is out. The token is a secret: it goes nowhere else. */
  publish(token: string): Promise<void>;
  /** No set-up is needed (any more). */
  withdraw(): Promise<void>;
}

/** Accounts that must exist before the gateway is ready. */
export interface FirstAccounts {
  /** First administrator, from the environment. */
  readonly defaultUser: { readonly email: string; readonly password: string } | undefined;
  /** From the accounts file. */
  readonly imported: readonly ImportedAccount[];
}

/** What the start-up of accounts is made of. */
export interface FirstAccountsParts {
  readonly gatewayName: string;
  readonly masters: Masters;
  readonly hasher: PasswordHasher;
  readonly setupLink: SetupLink;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

const setupTokenLifetimeMs = 24 * 60 * 60 * 1000;
const retryDelayMsMin = 100;
const retryDelayMsMax = 2000;
const attemptTimeoutMs = 10_000;

/** Kinds that go away by waiting for a leader; anything else is a fault that a person must mend. */
const passingKinds = ["unavailable", "notLeader", "deadline", "tooBusy", "cancelled"] as const;

/**
 * Makes the first accounts, retrying until a leader exists, and issues a set-up token when there is no account at all;
 * keeps an account that exists as it is. Resolves when done, with whether a set-up is out.
 * Errors: cancelled when the signal aborts first.
 */
export async function seedFirstAccounts(
  parts: FirstAccountsParts,
  accounts: FirstAccounts,
  signal: AbortSignal,
): Promise<boolean> {
  for (const imported of accounts.imported) {
    await persistently(parts, signal, (inner) =>
      createIfAbsent(parts, { ...imported, channels: [...imported.channels] }, inner),
    );
  }
  const { defaultUser } = accounts;
  if (defaultUser !== undefined) {
    await persistently(parts, signal, async (inner) => {
      if (await hasUser(parts.masters, defaultUser.email, inner)) return;
      const passwordHash = await parts.hasher.hash(defaultUser.password);
      await createIfAbsent(parts, { email: defaultUser.email, passwordHash, isAdmin: true }, inner);
    });
  }
  const isSetUpNeeded = await persistently(parts, signal, (inner) => needsSetUp(parts.masters, inner));
  if (isSetUpNeeded) await issueSetupToken(parts, signal);
  else await parts.setupLink.withdraw();
  return isSetUpNeeded;
}

/** Keeps the set-up link alive while there is no account, and withdraws it once there is one. Runs until the signal aborts or it is withdrawn. */
export async function followSetUp(parts: FirstAccountsParts, signal: AbortSignal): Promise<void> {
  const checkIntervalMs = 2000;
  let waitedMs = 0;
  while (await persistently(parts, signal, (inner) => needsSetUp(parts.masters, inner))) {
    await parts.timers.sleep(checkIntervalMs, signal);
    waitedMs += checkIntervalMs;
    if (waitedMs < setupTokenLifetimeMs / 2) continue;
    waitedMs = 0;
    await issueSetupToken(parts, signal);
  }
  await parts.setupLink.withdraw();
  parts.logger.info("gateway.setup_done");
}

async function issueSetupToken(parts: FirstAccountsParts, signal: AbortSignal): Promise<void> {
  const token = newToken(parts.random);
  const value = create(IssueSetupTokenSchema, {
    tokenSha256: tokenSha256(token),
    lifetimeMs: BigInt(setupTokenLifetimeMs),
  });
  const requestId = toHex(parts.random.bytes(16));
  try {
    await persistently(parts, signal, async (inner) => {
      await parts.masters.execute(
        { case: "issueSetupToken", value },
        { requestId, signal: inner, actor: actorOf(parts) },
      );
    });
  } catch (thrown) {
    // Somebody made the first account in between.
    if (isHoldfastError(thrown, "precondition")) return;
    throw thrown;
  }
  await parts.setupLink.publish(token);
  parts.logger.info("gateway.setup_required", { validHours: setupTokenLifetimeMs / 3_600_000 });
}

async function createIfAbsent(
  parts: FirstAccountsParts,
  account: Pick<CreateUser, "email" | "passwordHash" | "isAdmin"> & Partial<Pick<CreateUser, "phone" | "channels">>,
  signal: AbortSignal,
): Promise<void> {
  const value = create(CreateUserSchema, { ...account, keepExisting: true });
  const requestId = toHex(parts.random.bytes(16));
  await parts.masters.execute({ case: "createUser", value }, { requestId, signal, actor: actorOf(parts) });
}

async function hasUser(masters: Masters, email: string, signal: AbortSignal): Promise<boolean> {
  try {
    await masters.queries.getUser(create(GetUserRequestSchema, { email }), { signal });
    return true;
  } catch (thrown) {
    if (isHoldfastError(thrown, "notFound")) return false;
    throw thrown;
  }
}

async function needsSetUp(masters: Masters, signal: AbortSignal): Promise<boolean> {
  const { users } = await masters.queries.listUsers(create(ListUsersRequestSchema), { signal });
  return users.length === 0;
}

/** Repeats work that fails for passing reasons until it succeeds or the signal aborts. */
async function persistently<T>(
  parts: FirstAccountsParts,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let delayMs = retryDelayMsMin;
  for (;;) {
    if (signal.aborted) throw new HoldfastError("cancelled", "The gateway is stopping.");
    const attempt = linkAbort(signal);
    const limit = parts.timers.after(attemptTimeoutMs, () => attempt.abort());
    try {
      return await work(attempt.signal);
    } catch (thrown) {
      if (!isHoldfastError(thrown, ...passingKinds)) throw thrown;
      parts.logger.debug("gateway.waiting_for_leader", { reason: thrown.message });
    } finally {
      limit.cancel();
      attempt.release();
    }
    await parts.timers.sleep(delayMs, signal);
    delayMs = Math.min(delayMs * 2, retryDelayMsMax);
    assert(delayMs <= retryDelayMsMax, "the pause between two attempts is bounded");
  }
}

function actorOf(parts: FirstAccountsParts): string {
  return `gateway:${parts.gatewayName}`;
}
