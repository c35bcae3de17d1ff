import { expect, it } from "vitest";
import { RunRecorder } from "../run/run-recorder.ts";
import { runSeed } from "../run/run-seed.ts";
import { viewPage } from "./view-page.ts";

it("shows a run in one page that asks for nothing else, and recording changes nothing", async () => {
  const recorder = new RunRecorder();
  const report = await runSeed(1, { recorder });
  expect(report).toEqual(await runSeed(1));
  const recording = recorder.recording();
  expect(recording.events.filter((event) => event.kind === "log").length).toBeGreaterThan(20);
  expect(recording.copies.some(({ change }) => change === "confirmed")).toBe(true);
  expect(recording.steps.length).toBeGreaterThan(5);
  const page = viewPage(report, recording, { commit: "abc", command: "npm run sim -- --seed 1" });
  expect(page).not.toMatch(/https?:\/\/|src="|import /);
  const json = /<script type="application\/json" id="recording">(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(recording)));
});
