import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SessionTable, type SessionCommand } from "./session-table.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string | number): Uint8Array => new TextEncoder().encode(String(value));
const command = (session: number, sequence: number, acknowledged = 0): SessionCommand => ({
  ...{ session, sequence, acknowledged },
});

describe("client sessions (§6.3)", () => {
  it("carry a command out once and give the first answer to every repeat", () => {
    const table = new SessionTable();
    let sum = 0;
    const add = (amount: number) => (): Uint8Array => bytes((sum += amount));
    const session = table.open(7);
    expect(table.apply(command(session, 1), add(5))).toMatchObject({ ok: true, value: { isRepeat: false } });
    const again = table.apply(command(session, 1), add(5));
    expect(again.ok && [text(again.value.answer), again.value.isRepeat]).toEqual(["5", true]);
    expect(table.apply(command(session, 2), add(1)).ok).toBe(true);
    expect(sum).toBe(6);
  });

  it("forget answers that the client has, and never carry such a command out again", () => {
    const table = new SessionTable();
    const session = table.open(1);
    table.apply(command(session, 1), () => bytes("a"));
    table.apply(command(session, 2, 1), () => bytes("b"));
    const never = (): Uint8Array => expect.fail("it was carried out before");
    expect(table.apply(command(session, 1), never)).toEqual({ ok: false, error: "forgotten" });
  });

  it("that were used longest ago go when there are too many, the same everywhere, and say so", () => {
    const table = new SessionTable({ sessionsMax: 2 });
    const [first, second] = [table.open(1), table.open(2)];
    table.apply(command(first, 1), () => bytes("x"));
    const third = table.open(3);
    const never = (): Uint8Array => expect.fail("nobody knows whether it was carried out");
    expect(table.apply(command(second, 1), never)).toEqual({ ok: false, error: "expired" });
    expect([first, third].map((id) => table.apply(command(id, 9), () => bytes("")).ok)).toEqual([true, true]);
    table.close(first);
    expect(table.apply(command(first, 10), never)).toEqual({ ok: false, error: "expired" });
  });

  it("survive a snapshot to the byte; other bytes are not a table", () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant("open" as const) }),
      fc.record({
        kind: fc.constant("apply" as const),
        session: fc.integer({ min: 1, max: 20 }),
        sequence: fc.integer({ min: 1, max: 8 }),
        acknowledged: fc.integer({ min: 0, max: 4 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.nat({ max: 60 }), (operations, cut) => {
        let one = new SessionTable({ sessionsMax: 5 });
        const other = new SessionTable({ sessionsMax: 5 });
        operations.forEach((each, position) => {
          if (position === cut) one = SessionTable.decode(one.encode(), { sessionsMax: 5 }) ?? expect.fail("decodes");
          const act = (table: SessionTable): unknown =>
            each.kind === "open" ? table.open(position + 1) : table.apply(each, () => bytes(position));
          expect(act(one)).toEqual(act(other));
        });
        expect(one.encode()).toEqual(other.encode());
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (garbage) => {
        const table = SessionTable.decode(garbage);
        expect(table === undefined || table.size >= 0).toBe(true);
      }),
    );
  });
});
