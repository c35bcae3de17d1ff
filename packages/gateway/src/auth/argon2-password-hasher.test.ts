import { createNodeRandom } from "@holdfast/runtime/node";
import { expect, test } from "vitest";
import { createArgon2PasswordHasher, deriveTag } from "./argon2-password-hasher.ts";
import { boundedPasswordHasher } from "./password-hasher.ts";
import { formatArgon2idHash, parseArgon2idHash } from "./phc.ts";

const hasher = createArgon2PasswordHasher(createNodeRandom());

test("agrees with the reference implementation", async () => {
  // From the argon2 reference's own test list: hashtest(version 0x13, t=2, m=2^16 KiB, p=1, "password", "somesalt").
  const expected = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  const hash = parseArgon2idHash(expected);
  if (hash === undefined) throw new Error("the reference hash is not understood");
  expect(formatArgon2idHash({ ...hash, tag: await deriveTag("password", hash) })).toBe(expected);
  expect(await hasher.verify("password", expected)).toBe(true);
  expect(await hasher.verify("passwore", expected)).toBe(false);
});

test("a hash is verified, is new each time, and is the form that is stored", async () => {
  const [first, second] = [await hasher.hash("correct horse"), await hasher.hash("correct horse")];
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(first).not.toBe(second);
  expect([
    await hasher.verify("correct horse", first),
    await hasher.verify("correct mouse", first),
    await hasher.verify("x", hasher.dummyHash),
  ]).toEqual([true, false, false]);
});

test("one password in two Unicode forms is one password", async () => {
  expect(await hasher.verify("Ju\u0308rgen 123", await hasher.hash("J\u00fcrgen 123"))).toBe(true);
});

test.each([
  "",
  "plain",
  "$2b$10$abc",
  "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  "$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
])("%j is no hash that is computed", async (text) => {
  expect(parseArgon2idHash(text)).toBeUndefined();
  expect(await hasher.verify("password", text)).toBe(false);
});

test("only so many run at a time, and only so many wait", async () => {
  const finish: (() => void)[] = [];
  let runningCount = 0;
  const slow = async (): Promise<string> => {
    runningCount++;
    await new Promise<void>((resolve) => finish.push(resolve));
    runningCount--;
    return "hash";
  };
  const bounded = boundedPasswordHasher(
    { hash: slow, verify: async () => true, dummyHash: "" },
    { runningMax: 2, waitingMax: 3 },
  );
  const work = Array.from({ length: 5 }, () => bounded.hash("x"));
  await expect(bounded.hash("x")).rejects.toMatchObject({ kind: "tooBusy" });
  for (let done = 0; done < 5; done++) {
    expect(runningCount).toBe(Math.min(2, 5 - done));
    finish.shift()?.();
    await Promise.race(work.slice(done));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await Promise.all(work)).toHaveLength(5);
});
