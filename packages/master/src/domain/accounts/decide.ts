import { equalBytes, ok, refused, type Result } from "@holdfast/base";
import type { ChangePassword, CreateUser, DisableUser, IssueSetupToken } from "../commands.ts";
import type { DecideContext, DecideResult, Refusal } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { notInitialised } from "../namespace/decide-commit.ts";
import { invalid, notFound } from "../namespace/lookup.ts";
import { orderedCount } from "../ordered-index.ts";
import { clusterTable, nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { contactFault, emailFault, normaliseEmail, passwordHashFault, tokenFault } from "./checks.ts";
import { endSessions } from "./decide-sessions.ts";
import { setupTable, userByEmailTable, usersSet, usersTable, type UserRecord } from "./state.ts";

/** An account; by an administrator, by the set-up link, or at the cluster's start. */
export function decideCreateUser(tables: TableReader, command: CreateUser, context: DecideContext): DecideResult {
  if (tables.get(clusterTable, []) === undefined) return notInitialised();
  const email = normaliseEmail(command.email);
  const fault =
    emailFault(email) ?? passwordHashFault(command.passwordHash) ?? contactFault(command.phone, command.channels);
  if (fault !== undefined) return invalid(`The account can't be made: ${fault}`);
  const isSetup = command.setupTokenSha256.length > 0;
  const allowed = isSetup ? checkSetupToken(tables, command.setupTokenSha256, context) : ok(undefined);
  if (!allowed.ok) return allowed;
  const present = tables.get(userByEmailTable, [email]);
  const user = present === undefined ? undefined : tables.get(usersTable, [present.userId]);
  if (present !== undefined && user !== undefined)
    return decidePresentUser(tables, command, { userId: present.userId, user });
  const [userId = 0] = nextIds(tables, "user");
  const [rootEntryId = 0] = nextIds(tables, "entry");
  const { passwordHash, phone, channels } = command;
  const isAdmin = command.isAdmin || isSetup;
  return ok({
    events: [{ kind: "userCreated", userId, email, passwordHash, isAdmin, rootEntryId, phone, channels }],
    outcome: { userId, entryId: rootEntryId },
  });
}

function decidePresentUser(
  tables: TableReader,
  command: CreateUser,
  present: { readonly userId: number; readonly user: UserRecord },
): DecideResult {
  const { userId, user } = present;
  const outcome = { userId, entryId: user.rootEntryId };
  if (command.keepExisting) return ok({ events: [], outcome });
  if (!command.isForced) {
    return refused({
      kind: "nameTaken",
      message: "There is already an account with this e-mail address. Nothing was changed.",
    });
  }
  const { passwordHash, isAdmin, phone, channels } = command;
  const replaced = { kind: "userReplaced", userId, passwordHash, isAdmin, phone, channels } as const;
  return ok({ events: [replaced, ...endSessions(tables, userId)], outcome });
}

function checkSetupToken(
  tables: TableReader,
  tokenSha256: Uint8Array,
  context: DecideContext,
): Result<undefined, Refusal> {
  const setup = tables.get(setupTable, []);
  const isValid =
    setup !== undefined &&
    orderedCount(tables, usersSet) === 0 &&
    setup.expiresAtMs > context.atMs &&
    equalBytes(setup.tokenSha256, tokenSha256);
  if (isValid) return ok(undefined);
  return refused({
    kind: "denied",
    message:
      "The set-up link is wrong, was used or has expired. Nothing was changed; restart the gateway for a new one.",
  });
}

/** Another password; other sessions of the account end. */
export function decideChangePassword(tables: TableReader, command: ChangePassword): DecideResult {
  const { userId, passwordHash, keepTokenSha256 } = command;
  const fault = passwordHashFault(passwordHash);
  if (fault !== undefined) return invalid(`The password can't be changed: ${fault}`);
  if (tables.get(usersTable, [userId]) === undefined) return notFound("The account");
  const events: DomainEvent[] = [{ kind: "userPasswordChanged", userId, passwordHash }];
  for (const event of endSessions(tables, userId)) {
    if (!equalBytes(event.tokenSha256, keepTokenSha256)) events.push(event);
  }
  return ok({ events, outcome: { userId } });
}

/** No more signing in; all sessions end. */
export function decideDisableUser(tables: TableReader, command: DisableUser): DecideResult {
  const { userId } = command;
  const user = tables.get(usersTable, [userId]);
  if (user === undefined) return notFound("The account");
  if (user.isDisabled) return ok({ events: [], outcome: { userId } });
  return ok({ events: [{ kind: "userDisabled", userId }, ...endSessions(tables, userId)], outcome: { userId } });
}

/** Life of a set-up link, at most. */
const setupLifetimeMsMax = 30 * 24 * 3_600_000;

/** The link with which the first account is made; replaces the one that is out. */
export function decideIssueSetupToken(
  tables: TableReader,
  command: IssueSetupToken,
  context: DecideContext,
): DecideResult {
  if (tables.get(clusterTable, []) === undefined) return notInitialised();
  const { tokenSha256, lifetimeMs } = command;
  const fault = tokenFault(tokenSha256);
  if (fault !== undefined) return invalid(`The set-up link can't be made: ${fault}`);
  if (lifetimeMs < 1 || lifetimeMs > setupLifetimeMsMax) return invalid("The life of a set-up link is 1 ms to 30 days");
  if (orderedCount(tables, usersSet) > 0) {
    return refused({
      kind: "precondition",
      message: "There is already an account. Nothing was changed; sign in instead.",
    });
  }
  return ok({
    events: [{ kind: "setupTokenIssued", tokenSha256, expiresAtMs: context.atMs + lifetimeMs }],
    outcome: {},
  });
}
