import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkDocument, checkProject, checkSource } from "./tidy.ts";

const root = path.resolve(import.meta.dirname, "..");
const messages = (file: string, text: string): readonly string[] =>
  checkSource(file, text).map((finding) => finding.message);

describe("tidy: each rule bites", () => {
  it("refuses clocks, chance and timers behind which no port stands", () => {
    expect(messages("packages/master/src/application/a.ts", "const a = Date.now();")).toEqual([
      "read time through the Clock port",
    ]);
    expect(messages("packages/master/src/application/a.ts", "const a = Math.random();")).toEqual([
      "draw from the Random port",
    ]);
    expect(messages("packages/client/src/a.ts", "setTimeout(run, 5);")).toEqual(["use the Timers port"]);
    expect(messages("packages/runtime/src/node/a.ts", "setTimeout(run, 5);")).toEqual([]);
    expect(messages("packages/client/src/a.ts", "AbortSignal.any([a, b]);")).toEqual([
      "use linkAbort: Node never forgets a signal of any",
    ]);
  });
  it("refuses waiting in a decision", () => {
    expect(messages("packages/master/src/domain/a.ts", "await x;")).toEqual(["decisions are synchronous"]);
    expect(messages("packages/master/src/controllers/liveness/plan.ts", "async () => 1;")).toEqual([
      "decisions are synchronous",
    ]);
  });
  it("refuses arrows that are not in the table", () => {
    expect(messages("packages/gateway/src/a.ts", 'import { a } from "@holdfast/master";')[0]).toContain(
      "gateway may not import master",
    );
    expect(messages("packages/gateway/src/a.ts", 'import { a } from "@holdfast/client";')).toEqual([]);
  });
  it("refuses long files, vague names and exports without a docstring", () => {
    expect(messages("packages/rpc/src/a.ts", "\n".repeat(500))[0]).toContain("the limit is 400");
    expect(messages("packages/rpc/src/file-utils.ts", "")[0]).toContain("name it after what it does");
    expect(messages("packages/rpc/src/a.ts", "export function a(): void {}")).toEqual([
      "a is exported and has no docstring",
    ]);
  });
  it("refuses links and paths that lead nowhere", () => {
    expect(
      checkDocument(root, "README.md", "[a](docs/none.md) `packages/none/a.ts`").map((finding) => finding.message),
    ).toEqual(["the link to docs/none.md leads nowhere", "there is no packages/none/a.ts"]);
  });
});

describe("tidy: the project", () => {
  it("keeps every rule", () => {
    const found = checkProject(root).map((finding) => `${finding.file}:${finding.line} ${finding.message}`);
    expect(found).toEqual([]);
  });
});
