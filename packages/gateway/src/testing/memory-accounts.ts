import { create } from "@bufbuild/protobuf";
import { HoldfastError, toHex } from "@holdfast/base";
import {
  ChangeSchema,
  SessionSchema,
  UserSchema,
  type Change,
  type ChangePassword,
  type CreateUser,
  type EndSession,
  type Session,
  type StartSession,
  type User,
} from "@holdfast/proto/master/v1/master";
import type { Clock } from "@holdfast/runtime";

/** Accounts and sessions of the memory masters. */
export class MemoryAccounts {
  readonly users = new Map<bigint, User>();
  readonly sessions = new Map<string, Session>();
  setupTokenSha256: string | undefined;
  readonly #clock: Clock;
  #lastUserId = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  byEmail(email: string): User | undefined {
    return [...this.users.values()].find((user) => user.email === email);
  }

  userById(userId: bigint): User {
    const user = this.users.get(userId);
    if (user === undefined) throw new HoldfastError("notFound", "There is no such account.");
    return user;
  }

  /** Answers the account and whether it is new (then it needs a root). */
  createUser(wish: CreateUser): { readonly user: User; readonly isNew: boolean } {
    const email = wish.email.trim().toLowerCase();
    const isSetUp = wish.setupTokenSha256.length > 0;
    if (isSetUp && (this.users.size > 0 || toHex(wish.setupTokenSha256) !== this.setupTokenSha256)) {
      throw new HoldfastError("denied", "This set-up link is not valid any more.");
    }
    const existing = this.byEmail(email);
    if (existing !== undefined) {
      if (wish.isForced) Object.assign(existing, { passwordHash: wish.passwordHash, isAdmin: wish.isAdmin });
      else if (!wish.keepExisting)
        throw new HoldfastError("nameTaken", "This e-mail address has an account already. Nothing was changed.");
      return { user: existing, isNew: false };
    }
    const { passwordHash, phone, channels } = wish;
    const user = create(UserSchema, {
      userId: ++this.#lastUserId,
      email,
      passwordHash,
      phone,
      channels,
      isAdmin: wish.isAdmin || isSetUp,
    });
    this.users.set(user.userId, user);
    this.setupTokenSha256 = undefined;
    return { user, isNew: true };
  }

  startSession(wish: StartSession): void {
    this.userById(wish.userId);
    const startedAtMs = BigInt(Math.floor(this.#clock.wallMs()));
    const { tokenSha256, userId, channel, client } = wish;
    this.sessions.set(
      toHex(tokenSha256),
      create(SessionSchema, {
        tokenSha256,
        userId,
        channel,
        client,
        startedAtMs,
        expiresAtMs: startedAtMs + wish.lifetimeMs,
      }),
    );
  }

  /** Errors: notFound when there is none, it expired, or its account is disabled. */
  sessionByHash(tokenSha256: Uint8Array): Session {
    const session = this.sessions.get(toHex(tokenSha256));
    if (session === undefined || Number(session.expiresAtMs) <= this.#clock.wallMs())
      throw new HoldfastError("notFound", "There is no such session.");
    return session;
  }

  endSession(wish: EndSession): Change[] {
    const session = this.sessions.get(toHex(wish.tokenSha256));
    if (session === undefined) return [];
    if (wish.userId !== 0n && session.userId !== wish.userId)
      throw new HoldfastError("notFound", "There is no such session.");
    return [this.#end(session)];
  }

  changePassword(wish: ChangePassword): Change[] {
    this.userById(wish.userId).passwordHash = wish.passwordHash;
    const kept = toHex(wish.keepTokenSha256);
    return [...this.sessions.values()]
      .filter((session) => session.userId === wish.userId && toHex(session.tokenSha256) !== kept)
      .map((session) => this.#end(session));
  }

  #end(session: Session): Change {
    this.sessions.delete(toHex(session.tokenSha256));
    return create(ChangeSchema, { change: { case: "sessionGone", value: { tokenSha256: session.tokenSha256 } } });
  }
}
