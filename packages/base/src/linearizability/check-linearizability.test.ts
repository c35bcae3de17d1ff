import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkLinearizability } from "./check-linearizability.ts";
import { refusedStep } from "./model.ts";
import { HistoryRecorder, type History, type Operation } from "./operation.ts";
import { connectPaths, pathsModel, type PathInput, type PathOutput } from "./paths-model.ts";
import { registerModel, type RegisterInput, type RegisterOutput } from "./register-model.ts";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const written: RegisterOutput = { kind: "written" };
const value = (seen?: string): RegisterOutput => ({ kind: "value", value: seen });
const write = (text: string): RegisterInput => ({ kind: "write", value: text });
const read: RegisterInput = { kind: "read" };

/** `[invokeAt, returnAt, input, output]`; no output: unknown. */
type Row = readonly [number, number, RegisterInput, RegisterOutput?];

function registerHistory(rows: readonly Row[], key = "x"): History<RegisterInput, RegisterOutput> {
  return rows.map(([invokeAt, returnAt, input, output], place) => ({
    process: `p${place}`,
    key,
    invokeAt,
    returnAt,
    input,
    output,
  }));
}

function verdictOf(rows: readonly Row[]): string {
  return checkLinearizability(registerModel, registerHistory(rows)).kind;
}

describe("good histories of a register", () => {
  const good: Readonly<Record<string, readonly Row[]>> = {
    "nothing at all": [],
    "one after the other": [
      [0, 1, write("a"), written],
      [2, 3, read, value("a")],
    ],
    "a read beside a write sees the old or the new": [
      [0, 10, write("a"), written],
      [1, 2, read, value()],
      [3, 4, read, value("a")],
    ],
    "writes that touch are concurrent": [
      [0, 5, write("a"), written],
      [5, 6, write("b"), written],
      [7, 8, read, value("a")],
    ],
    "an unknown write that happened late": [
      [0, Infinity, write("a")],
      [1, 2, read, value()],
      [50, 51, read, value("a")],
    ],
    "an unknown write that never happened": [
      [0, Infinity, write("a")],
      [1, 2, write("b"), written],
      [3, 4, read, value("b")],
    ],
    "an unknown read says nothing": [
      [0, Infinity, read],
      [1, 2, write("b"), written],
    ],
    "a compare that fails and one that succeeds": [
      [0, 1, { kind: "cas", expected: undefined, value: "a" }, written],
      [2, 3, { kind: "cas", expected: "z", value: "b" }, { kind: "mismatch" }],
      [4, 5, read, value("a")],
    ],
  };
  for (const [name, rows] of Object.entries(good)) it(name, () => expect(verdictOf(rows)).toBe("linearizable"));
});

describe("bad histories of a register", () => {
  const bad: Readonly<Record<string, readonly Row[]>> = {
    "a stale read": [
      [0, 1, write("a"), written],
      [2, 3, write("b"), written],
      [4, 5, read, value("a")],
    ],
    "a read that goes back in time": [
      [0, 10, write("a"), written],
      [1, 2, read, value("a")],
      [3, 4, read, value()],
    ],
    "a lost update": [
      [0, 1, write("a"), written],
      [2, 3, read, value()],
    ],
    "two successful compares with one old value": [
      [0, 9, { kind: "cas", expected: undefined, value: "a" }, written],
      [0, 9, { kind: "cas", expected: undefined, value: "b" }, written],
    ],
    "a write that happened twice": [
      [0, 1, write("a"), written],
      [2, 3, write("b"), written],
      [4, 5, read, value("b")],
      [6, 7, read, value("a")],
    ],
    "a value that nobody wrote": [[0, 1, read, value("ghost")]],
    "an unknown write that happened twice": [
      [0, Infinity, write("a")],
      [1, 2, read, value("a")],
      [3, 4, write("b"), written],
      [5, 6, read, value("b")],
      [7, 8, read, value("a")],
      [9, 10, read, value("b")],
    ],
    "an unknown write seen before it began": [
      [5, Infinity, write("a")],
      [1, 2, read, value("a")],
    ],
  };
  for (const [name, rows] of Object.entries(bad)) it(name, () => expect(verdictOf(rows)).toBe("notLinearizable"));
});

describe("verdicts", () => {
  const stale: readonly Row[] = [
    [0, 1, write("a"), written],
    [2, 3, read, value("a")],
    [4, 5, write("b"), written],
    [6, 7, read, value("a")],
    [8, 9, write("c"), written],
  ];

  it("name the smallest broken key, and tell its shortest broken beginning without needless reads", () => {
    const longer = registerHistory([...stale, [10, 11, write("d"), written]], "longer");
    const good = registerHistory([[0, 1, write("a"), written]], "good");
    const verdict = checkLinearizability(registerModel, [...longer, ...good, ...registerHistory(stale, "shorter")]);
    if (verdict.kind !== "notLinearizable") throw new Error(verdict.kind);
    expect(verdict.key).toBe("shorter");
    expect(verdict.history.map(({ invokeAt }) => invokeAt)).toEqual([0, 4, 6]);
    expect(verdict.report).toBe(
      [
        "key shorter: no order explains these 3 operations",
        "(the number in front is the place in the longest order that could be explained):",
        "    #1 p0 [0 .. 1] write a -> written",
        "    #2 p2 [4 .. 5] write b -> written",
        "     - p3 [6 .. 7] read -> a",
      ].join("\n"),
    );
  });

  it("say undecided when the work is bounded, unless a key is known to be broken", () => {
    const rows = Array.from({ length: 12 }, (_, place): Row => [0, 100, write(`${place}`), written]);
    const hard = registerHistory([...rows, [200, 201, read, value("nobody wrote it")]], "hard");
    const bounded = checkLinearizability(registerModel, hard, { stepsMax: 1000 });
    expect(bounded).toMatchObject({ kind: "undecided", keys: ["hard"] });
    const mixed = checkLinearizability(registerModel, [...hard, ...registerHistory(stale)], { stepsMax: 1000 });
    expect(mixed).toMatchObject({ kind: "notLinearizable", key: "x" });
  });

  it("come soon for a long history with many unknown writes", () => {
    const rowsOf = (count: number): Row[] => {
      const rows: Row[] = [];
      for (let time = 0; time < count; time++) {
        rows.push([time, time + 2, write(`${time}`), written]);
        if (time % (count / 20) === 0) rows.push([time, Infinity, write(`unknown ${time}`)]);
      }
      return rows;
    };
    const good = [...rowsOf(2000), [3000, 3001, read, value("unknown 700")] as const];
    expect(verdictOf(good)).toBe("linearizable");
    expect(verdictOf([...rowsOf(100), [3000, 3001, read, value("nobody wrote it")]])).toBe("notLinearizable");
  });
});

describe("file paths", () => {
  const done: PathOutput = { kind: "done" };
  const refused: PathOutput = { kind: "refused" };
  const content = (text?: string): PathOutput => ({ kind: "content", content: text });

  function pathVerdict(rows: readonly (readonly [PathInput, PathOutput?])[]): string {
    const history = rows.map(([input, output], place) => ({
      process: "p",
      key: "",
      invokeAt: place * 2,
      returnAt: output === undefined ? Infinity : place * 2 + 1,
      input,
      output,
    }));
    return checkLinearizability(pathsModel, connectPaths(history)).kind;
  }

  it("are written, read, created once, and deleted", () => {
    const rows: readonly (readonly [PathInput, PathOutput?])[] = [
      [{ kind: "read", path: "/a" }, content()],
      [{ kind: "write", path: "/a", content: "1" }, done],
      [{ kind: "write", path: "/a", content: "2", onlyIfAbsent: true }, refused],
      [{ kind: "delete", path: "/a" }, done],
      [{ kind: "delete", path: "/a" }, refused],
      [{ kind: "read", path: "/a" }, content()],
    ];
    expect(pathVerdict(rows)).toBe("linearizable");
  });

  it("are renamed together: a file is at one of both, never at both or neither", () => {
    const start: readonly (readonly [PathInput, PathOutput?])[] = [
      [{ kind: "write", path: "/a", content: "1" }, done],
      [{ kind: "rename", from: "/a", to: "/b" }, done],
    ];
    expect(pathVerdict([...start, [{ kind: "read", path: "/b" }, content("1")]])).toBe("linearizable");
    expect(pathVerdict([...start, [{ kind: "read", path: "/a" }, content("1")]])).toBe("notLinearizable");
    expect(pathVerdict([...start, [{ kind: "read", path: "/b" }, content()]])).toBe("notLinearizable");
  });

  it("know a resurrected file, and an unknown rename that did or did not happen", () => {
    expect(
      pathVerdict([
        [{ kind: "write", path: "/a", content: "1" }, done],
        [{ kind: "delete", path: "/a" }, done],
        [{ kind: "read", path: "/a" }, content("1")],
      ]),
    ).toBe("notLinearizable");
    const open: readonly (readonly [PathInput, PathOutput?])[] = [
      [{ kind: "write", path: "/a", content: "1" }, done],
      [{ kind: "rename", from: "/a", to: "/b" }],
    ];
    expect(pathVerdict([...open, [{ kind: "read", path: "/b" }, content("1")]])).toBe("linearizable");
    expect(pathVerdict([...open, [{ kind: "read", path: "/b" }, content()]])).toBe("linearizable");
    const both: readonly (readonly [PathInput, PathOutput?])[] = [
      [{ kind: "read", path: "/b" }, content("1")],
      [{ kind: "read", path: "/a" }, content("1")],
    ];
    expect(pathVerdict([...open, ...both])).toBe("notLinearizable");
  });

  it("are checked apart when no rename connects them", () => {
    const history = connectPaths([
      {
        process: "p",
        key: "",
        invokeAt: 0,
        returnAt: 1,
        input: { kind: "rename", from: "/a", to: "/b" },
        output: refused,
      },
      {
        process: "p",
        key: "",
        invokeAt: 0,
        returnAt: 1,
        input: { kind: "rename", from: "/b", to: "/c" },
        output: refused,
      },
      { process: "p", key: "", invokeAt: 0, returnAt: 1, input: { kind: "read", path: "/c" }, output: content() },
      { process: "p", key: "", invokeAt: 0, returnAt: 1, input: { kind: "read", path: "/d" }, output: content() },
    ]);
    expect(history.map(({ key }) => key)).toEqual(["/a", "/a", "/a", "/d"]);
  });
});

describe("a recorder", () => {
  it("keeps what never ended as unknown, and forgets what surely did not happen", () => {
    const recorder = new HistoryRecorder<RegisterInput, RegisterOutput>();
    const first = recorder.begin({ process: "p", key: "x", invokeAt: 1, input: write("a") });
    recorder.begin({ process: "p", key: "x", invokeAt: 2, input: write("b") });
    const third = recorder.begin({ process: "p", key: "x", invokeAt: 3, input: write("c") });
    recorder.end(first, written, 4);
    recorder.end(first, written, 9);
    recorder.cancel(third);
    expect(recorder.history()).toEqual([
      { process: "p", key: "x", invokeAt: 1, returnAt: 4, input: write("a"), output: written },
      { process: "p", key: "x", invokeAt: 2, returnAt: Infinity, input: write("b"), output: undefined },
    ]);
  });
});

/** All orders of all subsets that leave out only unknown outcomes, tried one by one. */
function isExplainable(history: readonly RegisterOperation[], state: string | undefined): boolean {
  if (history.every(({ returnAt }) => returnAt === Infinity)) return true;
  return history.some((first, place) => {
    const others = history.filter((_, other) => other !== place);
    if (others.some((other) => other.returnAt < first.invokeAt)) return false;
    const next = registerModel.step(state, first.input, first.output);
    return next !== refusedStep && isExplainable(others, next);
  });
}

describe("against trying every order", () => {
  const values = fc.constantFrom("a", "b");
  const seen = fc.option(values, { nil: undefined });
  const time = { invokeAt: fc.nat(12), lasts: fc.nat(8), isUnknown: fc.nat(4).map((number) => number === 0) };
  const call = fc.oneof(
    fc.record({ input: fc.constant(read), output: seen.map((text) => value(text)) }),
    fc.record({ input: values.map(write), output: fc.constant(written) }),
    fc.record({
      input: fc.record({ kind: fc.constant("cas" as const), expected: seen, value: values }),
      output: fc.constantFrom(written, { kind: "mismatch" } as const),
    }),
  );
  const operation = fc.record({ ...time, call }).map(({ invokeAt, lasts, isUnknown, call: { input, output } }) => ({
    process: "p",
    key: "x",
    invokeAt,
    returnAt: isUnknown ? Infinity : invokeAt + lasts,
    input,
    output: isUnknown ? undefined : output,
  }));

  it("gives the same verdict, and every report is of a broken history", () => {
    const seenVerdicts = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 7 }), (history) => {
        const verdict = checkLinearizability(registerModel, history);
        seenVerdicts.set(verdict.kind, (seenVerdicts.get(verdict.kind) ?? 0) + 1);
        expect(verdict.kind).toBe(isExplainable(history, undefined) ? "linearizable" : "notLinearizable");
        if (verdict.kind === "notLinearizable") expect(isExplainable(verdict.history, undefined)).toBe(false);
      }),
      { numRuns: 3000, seed: 4 },
    );
    // Both verdicts were compared often.
    expect(seenVerdicts.get("linearizable")).toBeGreaterThan(300);
    expect(seenVerdicts.get("notLinearizable")).toBeGreaterThan(300);
  });
});
