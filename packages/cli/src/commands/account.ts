import { UserStore } from "../user-store.ts";
import { SessionService } from "@holdfast/proto/drive/v1/drive";
import { HoldfastError } from "@holdfast/base";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { toHoldfastError, UsageError } from "../exit-code.ts";
import { loadProfile, originOf, removeProfile, saveProfile } from "../profile.ts";
import { edgeClient, openSession } from "../session.ts";

async function readPassword(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const part of process.stdin) {
    text += part as string;
    if (text.length > 4_096) throw new UsageError("The password on standard input is too long.");
  }
  const password = text.replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("No password arrived on standard input.");
  return password;
}

export const login: Command = {
  usage: "login --server URL --email E --password-stdin",
  summary: "sign in and remember it",
  async run(words, { output }) {
    const rules = {
      server: { type: "string" },
      email: { type: "string" },
      "password-stdin": { type: "boolean" },
    } as const;
    const parsed = parseWords(words, rules, { min: 0, max: 0, usage: login.usage });
    const server = originOf(parsed.text("server") ?? process.env["HOLDFAST_SERVER"] ?? "http://127.0.0.1:8080");
    const email = parsed.text("email");
    if (email === undefined || !parsed.flag("password-stdin")) throw new UsageError(`usage: holdfast ${login.usage}`);
    const client = edgeClient(SessionService, { server });
    const answer = await client.signIn({ email, password: await readPassword(), channel: "cli", keepSignedIn: true });
    await saveProfile({ server, token: answer.token });
    output.document({ server, email: answer.account?.email, isAdmin: answer.account?.isAdmin });
    output.line(`Signed in to ${server} as ${answer.account?.email ?? email}.`);
  },
};

export const logout: Command = {
  usage: "logout",
  summary: "end the session and forget it",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: logout.usage });
    const session = await openSession();
    await session.account.signOut({});
    await removeProfile();
    output.document({ signedOut: true });
    output.line("Signed out.");
  },
};

export const whoami: Command = {
  usage: "whoami",
  summary: "who is signed in, and where",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: whoami.usage });
    const session = await openSession();
    const { account, version } = await session.account.whoAmI({});
    if (account === undefined) throw new HoldfastError("unauthenticated", "The session ended. Sign in again.");
    output.document({
      server: session.profile.server,
      email: account.email,
      userId: account.userId,
      isAdmin: account.isAdmin,
      version,
    });
    output.line(`${account.email}${account.isAdmin ? " (administrator)" : ""} at ${session.profile.server}`);
  },
};

export const userCreate: Command = {
  usage: "user create EMAIL --password P [--phone N] [--channels email,sms] [--admin] [--force] [--store FILE]",
  summary: "make an account, or write it to an accounts file",
  async run(words, { output }) {
    const rules = {
      password: { type: "string" },
      phone: { type: "string" },
      channels: { type: "string" },
      store: { type: "string" },
      admin: { type: "boolean" },
      force: { type: "boolean" },
    } as const;
    const parsed = parseWords(words, rules, { min: 1, max: 1, usage: userCreate.usage });
    const [email = ""] = parsed.positionals;
    const password = parsed.text("password") ?? (await readPassword());
    const channels = (parsed.text("channels") ?? "")
      .split(",")
      .map((channel) => channel.trim())
      .filter((channel) => channel !== "");
    const account = {
      email,
      password,
      phone: parsed.text("phone") ?? "",
      channels,
      isAdmin: parsed.flag("admin"),
      isForced: parsed.flag("force"),
    };
    const store = parsed.text("store") ?? ((await isSignedOut()) ? process.env["DFS_USER_STORE"] : undefined);
    if (store !== undefined) {
      await new UserStore(store).add(account);
      output.document({ email, store });
      output.line(`${email} was written to ${store}.`);
      return;
    }
    const session = await openSession();
    const { userId } = await session.admin.createUser(account).catch((error: unknown) => {
      throw toHoldfastError(error);
    });
    output.document({ email, userId });
    output.line(`${email} was made.`);
  },
};

async function isSignedOut(): Promise<boolean> {
  return loadProfile().then(
    () => false,
    () => true,
  );
}
