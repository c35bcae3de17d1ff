import { expect, test } from "vitest";
import { defineSettings } from "./settings.ts";

const settings = defineSettings({
  dataDir: { type: "text", help: "Where everything is kept" },
  httpPort: { type: "integer", unit: "port", default: 8080, min: 0, max: 65_535, help: "Port of the page" },
  logLevel: { type: "choice", choices: ["debug", "info"], default: "info", help: "Lowest level that is written" },
  masters: { type: "list", default: [], help: "host:port of the masters" },
  isOpen: { type: "boolean", default: false, help: "Whether anybody may sign up" },
  password: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    isSecret: true,
    environment: "DFS_PASSWORD",
    help: "First password",
  },
});

const parse = (argv: readonly string[], env: Record<string, string> = {}) => settings.parse({ argv, env });

test("flags win over the environment, the environment over defaults", () => {
  expect(
    parse(["--http-port", "1", "--is-open", "--masters=a:1, b:2"], {
      HOLDFAST_DATA_DIR: "/d",
      HOLDFAST_HTTP_PORT: "2",
      DFS_PASSWORD: "x",
    }),
  ).toEqual({
    kind: "values",
    values: { dataDir: "/d", httpPort: 1, logLevel: "info", masters: ["a:1", "b:2"], isOpen: true, password: "x" },
  });
});

test("all faults are reported together, with where they came from", () => {
  const parsed = parse(["--http-port", "70000", "--colour", "--log-level=loud", "--is-open", "--is-open", "false"], {
    DFS_PASSWORD: "",
  });
  expect(parsed).toEqual({
    kind: "faults",
    faults: [
      "--colour: no such setting; --help lists them",
      "--is-open: given more than once",
      "--data-dir (or HOLDFAST_DATA_DIR) is required: Where everything is kept",
      '--http-port: must be a whole number of port from 0 to 65535, not "70000"',
      '--log-level: must be one of debug, info, not "loud"',
    ],
  });
});

test.each([
  ["--data-dir"],
  ["--data-dir", "--http-port"],
  ["--data-dir", ""],
  ["--http-port", "1.5"],
  ["--http-port", ""],
  ["--is-open=yes"],
])("refuses %j", (...argv) => {
  expect(parse(argv).kind).toBe("faults");
});

test("help names flag, environment and default of each setting; secrets are not printed", () => {
  expect(parse(["--help"])).toEqual({ kind: "help" });
  expect(settings.help()).toContain(
    "--http-port <integer 0..65535 port>  Port of the page [HOLDFAST_HTTP_PORT, default 8080]",
  );
  const parsed = parse(["--data-dir", "/d"], { DFS_PASSWORD: "topsecret" });
  expect(parsed.kind === "values" ? settings.printable(parsed.values) : {}).toMatchObject({
    dataDir: "/d",
    password: "(hidden)",
  });
});
