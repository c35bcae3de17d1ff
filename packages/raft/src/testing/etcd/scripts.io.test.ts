import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseScript } from "./datadriven.ts";
import { runScript, type ScriptKind } from "./run-script.ts";

const repository = resolve(import.meta.dirname, "../../../../..");
const own = join(repository, "packages/raft/testdata");
const etcd = process.env["ETCD_RAFT_TESTDATA"] ?? join(repository, "../shared/etcd-raft");

function scriptsIn(directory: string, kind: ScriptKind): string[] {
  const folder = join(directory, kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => join(folder, name));
}

describe("own scenarios", () => {
  for (const kind of ["interaction", "confchange", "quorum"] as const) {
    for (const path of scriptsIn(own, kind)) {
      it(path.slice(own.length + 1), () => {
        expect(runScript(kind, readFileSync(path, "utf8")).differences).toEqual([]);
      });
    }
  }
});

describe.skipIf(!existsSync(etcd))("scripts of etcd-io/raft", () => {
  for (const kind of ["interaction", "confchange", "quorum"] as const) {
    for (const path of scriptsIn(etcd, kind)) {
      it(path.slice(etcd.length + 1), () => {
        expect(runScript(kind, readFileSync(path, "utf8")).differences).toEqual([]);
      });
    }
  }
});

describe("the harness itself", () => {
  const script = (expected: string): string =>
    `add-nodes 1 voters=(1) index=3\n----\nok\n\nstatus 1\n----\n${expected}\n`;

  it("tells a difference, with its line", () => {
    expect(runScript("interaction", script("ok")).differences).toEqual([]);
    expect(runScript("interaction", script("1: StateLeader")).differences[0]).toContain("line 5: status");
  });

  it("leaves out log lines of either side, and nothing else", () => {
    expect(runScript("interaction", script("INFO something\n  DEBUG else")).differences).toEqual([]);
    expect(runScript("interaction", script("INFORMAL")).differences).toHaveLength(1);
  });

  it("reads arguments, input, fenced output and comments", () => {
    const text = "# note\ncmd 1 a=b c=(1, 2) d=()\nin 1\nin 2\n----\n----\nout\n\nmore\n----\n----\n\nnext\n----\n";
    expect(parseScript(text)).toEqual([
      {
        line: 2,
        name: "cmd",
        args: [
          { key: "1", values: [] },
          { key: "a", values: ["b"] },
          { key: "c", values: ["1", "2"] },
          { key: "d", values: [] },
        ],
        input: "in 1\nin 2",
        expected: "out\n\nmore",
      },
      { line: 13, name: "next", args: [], input: "", expected: "" },
    ]);
  });

  it("names an unknown command", () => {
    expect(runScript("interaction", "nonsense\n----\nok\n").differences[0]).toContain("unknown command nonsense");
  });
});
