import { create } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";
import {
  CreateUserSchema,
  GetClusterStatusRequestSchema,
  ListEventsRequestSchema,
  ListUsersRequestSchema,
  type GetClusterStatusResponse,
  type LoggedEvent,
  type User,
} from "@holdfast/proto/master/v1/master";
import type { PasswordHasher } from "../auth/password-hasher.ts";
import { normalisedEmail } from "../auth/policy.ts";
import { requireEmail, requirePassword } from "../auth/credentials.ts";
import { onBehalfOf } from "../drive/actor.ts";
import type { Caller, Masters, RequestScope } from "../drive/ports.ts";
import { requireAdmin } from "./require-admin.ts";
import type { StatusFeed } from "./status-feed.ts";

/** An account to be made. */
export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly isAdmin: boolean;
  readonly phone: string;
  readonly channels: readonly string[];
  /** Replace an existing account's password and flags. */
  readonly isForced: boolean;
}

/** What administrators do. All of it is `denied` to others. */
export interface Admin {
  /** Errors: denied, unavailable. */
  getStatus(caller: Caller, scope: RequestScope): Promise<GetClusterStatusResponse>;
  /** At once, then every second and when something changes. Errors: denied, tooBusy, unavailable. */
  watchStatus(caller: Caller, scope: RequestScope): AsyncIterable<GetClusterStatusResponse>;
  /** Newest first. Errors: denied. */
  listEvents(
    caller: Caller,
    page: { readonly beforeIndex: bigint; readonly limit: number },
    scope: RequestScope,
  ): Promise<readonly LoggedEvent[]>;
  /** Answers the account's id. Errors: denied, nameTaken, invalidArgument, tooBusy. */
  createUser(caller: Caller, account: NewAccount, scope: RequestScope): Promise<bigint>;
  /** By e-mail, without hashes. Errors: denied. */
  listUsers(caller: Caller, scope: RequestScope): Promise<readonly User[]>;
}

/** What `createAdmin` is made of. */
export interface AdminParts {
  readonly masters: Masters;
  readonly hasher: PasswordHasher;
  readonly statusFeed: StatusFeed;
}

const knownChannels: readonly string[] = ["email", "sms"];

/** The administrators' use-cases. */
export function createAdmin({ masters, hasher, statusFeed }: AdminParts): Admin {
  return {
    async getStatus(caller, scope) {
      requireAdmin(caller);
      return masters.queries.getClusterStatus(create(GetClusterStatusRequestSchema), scope);
    },

    async *watchStatus(caller, scope) {
      requireAdmin(caller);
      yield* statusFeed.watch(scope.signal);
    },

    async listEvents(caller, page, scope) {
      requireAdmin(caller);
      return (await masters.queries.listEvents(create(ListEventsRequestSchema, page), scope)).events;
    },

    async createUser(caller, account, scope) {
      requireAdmin(caller);
      requireEmail(account.email);
      requirePassword(account.password);
      requireContact(account);
      const passwordHash = await hasher.hash(account.password);
      const { isAdmin, phone, isForced } = account;
      const email = normalisedEmail(account.email);
      const value = create(CreateUserSchema, {
        email,
        passwordHash,
        isAdmin,
        phone,
        isForced,
        channels: [...account.channels],
      });
      const done = await masters.execute({ case: "createUser", value }, onBehalfOf(caller, scope));
      return must(done.outcome, "a created account has an outcome").userId;
    },

    async listUsers(caller, scope) {
      requireAdmin(caller);
      const { users } = await masters.queries.listUsers(create(ListUsersRequestSchema), scope);
      return users.map((user) => ({ ...user, passwordHash: "" }));
    },
  };
}

function requireContact({ phone, channels }: NewAccount): void {
  if (phone !== "" && !/^\+[1-9][0-9]{5,14}$/.test(phone)) {
    throw new HoldfastError("invalidArgument", "A phone number looks like +4915112345678. Nothing was changed.");
  }
  const unknown = channels.find((channel) => !knownChannels.includes(channel));
  if (unknown !== undefined)
    throw new HoldfastError("invalidArgument", "A channel is 'email' or 'sms'. Nothing was changed.");
}
