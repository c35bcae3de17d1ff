import { expect, test } from "vitest";
import { Mailbox } from "./mailbox.ts";

test("hands over in order, ends, and throws", async () => {
  const mailbox = new Mailbox<number>(10, (held) => held);
  const read: number[] = [];
  const reading = (async () => {
    for await (const message of mailbox) read.push(message);
  })();
  for (const message of [1, 2, 3]) mailbox.push(message);
  mailbox.close();
  mailbox.push(4);
  await reading;
  expect(read).toEqual([1, 2, 3]);

  const failing = new Mailbox<number>(10, (held) => held);
  failing.push(1);
  failing.fail(new Error("broken"));
  await expect(failing[Symbol.asyncIterator]().next()).rejects.toThrow("broken");
});

test("a full one is replaced by what its owner says", async () => {
  const newest = new Mailbox<number>(1, (_held, next) => [next]);
  for (const message of [1, 2, 3]) newest.push(message);
  expect(await newest[Symbol.asyncIterator]().next()).toEqual({ done: false, value: 3 });
});
