import { must } from "@holdfast/base";
import { defineSettings } from "@holdfast/runtime/node";
import { expect, test } from "vitest";
import { configFromSettings, masterSettings, type MasterConfig } from "./config.ts";

const argv = [
  ...["--id", "1", "--name", "master-1", "--listen", "127.0.0.1:7001", "--peers", "1=127.0.0.1:7001"],
  ...["--data", "data", "--cluster-id", "0123456789abcdef0123456789abcdef"],
];

function configOf(joinSecret: string): MasterConfig {
  const parsed = defineSettings(masterSettings).parse({ argv, env: {} });
  const values = must(parsed.kind === "values" ? parsed.values : undefined, "the settings are sound");
  return configFromSettings(values, { absolutePath: (path) => `/abs/${path}`, joinSecret });
}

test("a process is never open to everybody: without a secret only tokens let nodes in", () => {
  expect(configOf("")).toMatchObject({ data: "/abs/data", joinSecret: "" });
  expect(configOf("x".repeat(32)).joinSecret).toBe("x".repeat(32));
});

test("a join secret that could be guessed is refused without being told", () => {
  const refusal = (): MasterConfig => configOf("guess-me");
  expect(refusal).toThrowError(/the join secret has at least 32 characters/);
  expect(refusal).not.toThrowError(/guess-me/);
});
