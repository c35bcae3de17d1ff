import { expect, test } from "vitest";
import { parseUserStore } from "./user-store.ts";

const passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const file = (...users: unknown[]): string => JSON.stringify({ version: 1, users });

test("accounts with all and with the least", () => {
  const all = {
    email: "Ada@Example.org",
    passwordHash,
    phone: "+4915112345678",
    channels: ["email", "sms"],
    isAdmin: true,
  };
  expect(parseUserStore(file(all, { email: "bob@example.org", passwordHash }))).toEqual({
    ok: true,
    value: [
      { ...all, email: "ada@example.org" },
      { email: "bob@example.org", passwordHash, phone: "", channels: [], isAdmin: false },
    ],
  });
  expect(parseUserStore(file())).toEqual({ ok: true, value: [] });
});

test("every fault is told with its place", () => {
  const parsed = parseUserStore(
    file(
      { email: "x", passwordHash: "secret", phone: 5, channels: ["pigeon"], isAdmin: "yes" },
      7,
      { email: "a@b", passwordHash },
      { email: "A@b", passwordHash },
    ),
  );
  expect(parsed.ok ? [] : parsed.error.map((fault) => fault.split(" ")[0])).toEqual([
    "users[0].email",
    "users[0].passwordHash",
    "users[0].phone",
    "users[0].channels",
    "users[0].isAdmin",
    "users[1]",
    "users[3].email:",
  ]);
  expect(parsed.ok ? "" : parsed.error.join()).not.toContain("secret");
});

test.each(["", "{", "[]", "null", `{"version":2,"users":[]}`, `{"version":1}`, `{"version":1,"users":{}}`])(
  "%j is not an accounts file",
  (text) => {
    expect(parseUserStore(text).ok).toBe(false);
  },
);
