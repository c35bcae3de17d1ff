import { checkLinearizability } from "@holdfast/base/linearizability";
import { describe, expect, it } from "vitest";
import { type FolderInput, folderModel, type FolderOutput } from "./folder-model.ts";

type Row = readonly [FolderInput, FolderOutput?];

const put = (name: string, sha256: string): FolderInput => ({ kind: "put", name, sha256 });
const stored = (entryId: string): FolderOutput => ({ kind: "stored", entryId });
const done: FolderOutput = { kind: "done" };
const refused = (reason: string): FolderOutput => ({ kind: "refused", reason });
const list: FolderInput = { kind: "list" };
const rows = (...files: readonly (readonly [string, string, string])[]): FolderOutput => ({
  kind: "rows",
  rows: files.map(([entryId, name, sha256]) => ({ entryId, name, sha256 })),
});

/** One after the other; a row without an outcome is never answered. */
function verdict(history: readonly Row[]): string {
  const operations = history.map(([input, output], at) => ({
    ...{ process: "p", key: "", input, output, invokeAt: at * 2 },
    returnAt: output === undefined ? Infinity : at * 2 + 1,
  }));
  return checkLinearizability(folderModel, operations).kind;
}

const aStored: Row = [put("a", "1"), stored("7")];

describe("what a folder may answer", () => {
  it.each<{ readonly what: string; readonly history: readonly Row[] }>([
    {
      what: "an overwritten file keeps its id",
      history: [aStored, [put("a", "2"), stored("7")], [list, rows(["7", "a", "2"])]],
    },
    {
      what: "a renamed file",
      history: [aStored, [{ kind: "rename", entryId: "7", name: "b" }, done], [list, rows(["7", "b", "1"])]],
    },
    {
      what: "a name that is taken",
      history: [
        aStored,
        [put("b", "2"), stored("8")],
        [{ kind: "rename", entryId: "8", name: "a" }, refused("nameTaken")],
      ],
    },
    {
      what: "the trash, and then for ever",
      history: [
        aStored,
        [{ kind: "trash", entryId: "7" }, done],
        [{ kind: "trash", entryId: "7" }, refused("notFound")],
        [list, rows()],
        [{ kind: "purge", entryId: "7" }, done],
        [{ kind: "purge", entryId: "7" }, refused("notFound")],
      ],
    },
    { what: "an unanswered write that happened", history: [[put("a", "1")], [list, rows(["7", "a", "1"])]] },
    { what: "an unanswered write that did not", history: [[put("a", "1")], [list, rows()]] },
  ])("$what", ({ history }) => expect(verdict(history)).toBe("linearizable"));

  it.each<{ readonly what: string; readonly history: readonly Row[] }>([
    { what: "an acknowledged file that is gone", history: [aStored, [list, rows()]] },
    {
      what: "a deleted file that is back",
      history: [aStored, [{ kind: "trash", entryId: "7" }, done], [list, rows(["7", "a", "1"])]],
    },
    { what: "old bytes", history: [aStored, [put("a", "2"), stored("7")], [list, rows(["7", "a", "1"])]] },
    {
      what: "a file at both names",
      history: [
        aStored,
        [{ kind: "rename", entryId: "7", name: "b" }, done],
        [list, rows(["7", "a", "1"], ["7", "b", "1"])],
      ],
    },
    {
      what: "a delete that worked twice",
      history: [aStored, [{ kind: "purge", entryId: "7" }, done], [{ kind: "purge", entryId: "7" }, done]],
    },
    {
      what: "a write applied twice around another",
      history: [aStored, [put("a", "2"), stored("7")], [list, rows(["7", "a", "2"])], [list, rows(["7", "a", "1"])]],
    },
    { what: "a second file under a name that is taken", history: [aStored, [put("a", "2"), stored("8")]] },
  ])("not $what", ({ history }) => expect(verdict(history)).toBe("notLinearizable"));
});
