import { expect, it } from "vitest";
import { LogOutput } from "./log-output.ts";

/** A file with so much room; `undefined` takes everything. */
function file(): { text: string; room: number | undefined; readonly output: LogOutput } {
  const state: { text: string; room: number | undefined } = { text: "", room: undefined };
  const output = new LogOutput(
    (bytes) => {
      const taken = Math.min(bytes.length, state.room ?? bytes.length);
      if (taken === 0) throw new Error("ENOSPC");
      if (state.room !== undefined) state.room -= taken;
      state.text += new TextDecoder().decode(bytes.subarray(0, taken));
      return taken;
    },
    (count) => `lost ${count}\n`,
  );
  return Object.assign(state, { output });
}

it("writes lines as they come", () => {
  const log = file();
  for (const line of ["a\n", "b\n"]) log.output.write(line);
  expect(log.text).toBe("a\nb\n");
});

it("goes on without a full disk, and says how many lines are missing when there is room again", () => {
  const log = file();
  log.output.write("before\n");
  log.room = 0;
  for (const line of ["x\n", "y\n", "z\n"]) log.output.write(line);
  log.room = undefined;
  for (const line of ["after\n", "later\n"]) log.output.write(line);
  expect(log.text).toBe("before\nlost 3\nafter\nlater\n");
});

it("ends a line that was cut off before the next one", () => {
  const log = file();
  log.room = 3;
  for (const line of ["first\n", "second\n"]) log.output.write(line);
  log.room = undefined;
  log.output.write("third\n");
  expect(log.text).toBe("fir\nlost 2\nthird\n");
});

it("counts on when the disk is full again in the middle of that", () => {
  const log = file();
  log.room = 0;
  log.output.write("a\n");
  log.room = 2;
  log.output.write("b\n");
  log.room = undefined;
  log.output.write("c\n");
  expect(log.text).toBe("lo\nlost 2\nc\n");
});
