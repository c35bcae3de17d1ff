const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How a session lives. Source: design, ui.md section 6; the command line's is our own. */
export interface SessionLifetime {
  /** From sign-in; replicated with the session and the same for every gateway. */
  readonly absoluteMs: number;
  /** From the last answer; the browser forgets the cookie then. */
  readonly idleMs: number;
}

const lifetimes = {
  user: { absoluteMs: dayMs, idleMs: hourMs },
  keptUser: { absoluteMs: 30 * dayMs, idleMs: 14 * dayMs },
  admin: { absoluteMs: 8 * hourMs, idleMs: 15 * minuteMs },
  cli: { absoluteMs: 30 * dayMs, idleMs: 30 * dayMs },
} as const satisfies Record<string, SessionLifetime>;

/** The lifetime of a session by who signs in and how. */
export function sessionLifetime(session: {
  readonly isAdmin: boolean;
  readonly channel: SessionChannel;
  readonly keepSignedIn: boolean;
}): SessionLifetime {
  if (session.channel === "cli") return lifetimes.cli;
  if (session.isAdmin) return lifetimes.admin;
  return session.keepSignedIn ? lifetimes.keptUser : lifetimes.user;
}

/** The idle limit of a session that is under way: a long one is one that its owner wanted kept. */
export function sessionIdleMs(session: {
  readonly isAdmin: boolean;
  readonly channel: string;
  readonly absoluteMs: number;
}): number {
  const channel = session.channel === "cli" ? "cli" : "browser";
  return sessionLifetime({
    isAdmin: session.isAdmin,
    channel,
    keepSignedIn: session.absoluteMs > lifetimes.user.absoluteMs,
  }).idleMs;
}

/** Where a session is used. */
export type SessionChannel = "browser" | "cli";

const failuresFree = 3;
const delayMsFirst = 1000;
const delayMsMax = 60_000;

/** How long an account refuses further attempts after so many failures in a row: 1 s doubling to 60 s, from the third on. Never for ever. */
export function signInDelayMs(failureCount: number): number {
  if (failureCount < failuresFree) return 0;
  return Math.min(delayMsFirst * 2 ** Math.min(failureCount - failuresFree, 16), delayMsMax);
}

/** A bucket of attempts that refills evenly. */
export interface AttemptBucket {
  readonly tokens: number;
  readonly updatedAtMs: number;
}

const attemptsPerMinute = 10;

/** What is in the bucket now; undefined means it was never used. */
export function refilled(bucket: AttemptBucket | undefined, nowMs: number): AttemptBucket {
  if (bucket === undefined) return { tokens: attemptsPerMinute, updatedAtMs: nowMs };
  const grown = bucket.tokens + (Math.max(0, nowMs - bucket.updatedAtMs) * attemptsPerMinute) / minuteMs;
  return { tokens: Math.min(attemptsPerMinute, grown), updatedAtMs: nowMs };
}

/** Ms until the bucket has a whole attempt again. */
export function bucketWaitMs(bucket: AttemptBucket): number {
  return bucket.tokens >= 1 ? 0 : Math.ceil(((1 - bucket.tokens) * minuteMs) / attemptsPerMinute);
}

const passwordCharactersMin = 8;
const passwordCharactersMax = 256;

/** Why a password cannot be one, in words; undefined when it can. No composition rules. Source: OWASP ASVS 6.2.1 to 6.2.12. */
export function passwordFault(password: string): string | undefined {
  const characters = Array.from(password).length;
  if (characters < passwordCharactersMin) return `A password has at least ${passwordCharactersMin} characters.`;
  if (characters > passwordCharactersMax) return `A password has at most ${passwordCharactersMax} characters.`;
  return undefined;
}

const emailCharactersMax = 254;

/** Why a text cannot be an e-mail address, in words; undefined when it can. Only what surely is wrong is refused. */
export function emailFault(email: string): string | undefined {
  const trimmed = email.trim();
  if (trimmed.length > emailCharactersMax) return "The e-mail address is too long.";
  if (!/^[^\s@]+@[^\s@]+$/.test(trimmed) || hasControlCharacter(trimmed)) return "This is not an e-mail address.";
  return undefined;
}

/** The form under which an account is kept and throttled. */
export function normalisedEmail(email: string): string {
  return email.trim().toLowerCase();
}

function hasControlCharacter(text: string): boolean {
  return Array.from(text).some((character) => character < " " || character === "\u007f");
}
