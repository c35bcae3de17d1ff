import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "**/dist/**"];

/** Projects by suffix: what a test may touch is in its name (CONTRIBUTING.md, "Tests"). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{packages,tests,tools,bench}/**/*.test.ts"],
          exclude: [...exclude, "**/*.{io,sim,process,browser}.test.ts"],
          // Milliseconds where nothing else runs; a busy machine is no failure.
          testTimeout: 20_000,
        },
      },
      { test: { name: "io", include: ["{packages,tests,tools,bench}/**/*.io.test.ts"], exclude, testTimeout: 30_000 } },
      { test: { name: "sim", include: ["{packages,tests}/**/*.sim.test.ts"], exclude, testTimeout: 300_000 } },
      {
        test: {
          name: "process",
          include: ["{packages,tests}/**/*.process.test.ts"],
          exclude,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "browser",
          include: ["tests/**/*.browser.test.ts"],
          exclude,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
