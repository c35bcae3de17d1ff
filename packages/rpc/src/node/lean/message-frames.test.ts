import { concatBytes, HoldfastError } from "@holdfast/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { frameMessage, MessageParser } from "./message-frames.ts";
import { formatTimeout, parseTimeout } from "./timeout-header.ts";

test("messages come out as they went in, however the stream is cut", () => {
  const message = fc.array(fc.uint8Array({ maxLength: 5000 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1 }),
      (messages, cuts) => {
        const stream = Buffer.from(concatBytes(messages.flatMap((pieces) => frameMessage(pieces))));
        const parser = new MessageParser();
        const out: string[] = [];
        for (let position = 0, index = 0; position < stream.length; index++) {
          const size = cuts[index % cuts.length] ?? 1;
          parser.push(stream.subarray(position, position + size), (found) => out.push(found.toString("hex")));
          position += size;
        }
        expect(out).toEqual(messages.map((pieces) => Buffer.from(concatBytes(pieces)).toString("hex")));
        expect(parser.isBetweenMessages).toBe(true);
      },
    ),
  );
});

test("large pieces are framed without a copy", () => {
  const data = new Uint8Array(10_000);
  const pieces = frameMessage([new Uint8Array([18, 144, 78]), data]);
  expect(pieces.length).toBe(2);
  expect(pieces[1]).toBe(data);
  expect([...(pieces[0] ?? [])]).toEqual([0, 0, 0, 39, 19, 18, 144, 78]);
});

test("a message over the limit and a compressed one are refused before their bytes are kept", () => {
  const push =
    (...prefix: number[]) =>
    () =>
      new MessageParser().push(Buffer.from(prefix), () => undefined);
  expect(push(0, 1, 0, 0, 1)).toThrow(HoldfastError);
  expect(push(0, 255, 255, 255, 255)).toThrow(/larger than the limit/);
  expect(push(1, 0, 0, 0, 1)).toThrow(/compressed/);
});

test("a message that is cut off is not between messages", () => {
  const parser = new MessageParser();
  parser.push(Buffer.from([0, 0, 0, 0, 2, 1]), () => expect.unreachable());
  expect(parser.isBetweenMessages).toBe(false);
});

test("timeouts are written in at most eight digits and read in all units", () => {
  expect([0.2, 1500, 1e9].map(formatTimeout)).toEqual(["1m", "1500m", "1000000S"]);
  expect(["1n", "1u", "5m", "5S", "5M", "5H"].map(parseTimeout)).toEqual([1e-6, 1e-3, 5, 5000, 300_000, 18_000_000]);
  expect([undefined, "", "5", "m", "123456789m", "-1m", "1.5S"].map(parseTimeout)).toEqual(
    Array.from({ length: 7 }, () => undefined),
  );
});
