/** What every setting says about itself. The key `dataDir` gives the flag `--data-dir` and `HOLDFAST_DATA_DIR`. */
interface SettingBase {
  /** One sentence for `--help`. */
  readonly help: string;
  /** Another environment name than the derived one. */
  readonly environment?: string;
  /** Never printed. */
  readonly isSecret?: boolean;
}

/** One row of a table of settings. Without a default the setting is required. */
export type SettingSpec =
  | (SettingBase & { readonly type: "text"; readonly default?: string; readonly isEmptyAllowed?: boolean })
  | (SettingBase & {
      readonly type: "integer";
      readonly unit: string;
      readonly default?: number;
      readonly min: number;
      readonly max: number;
    })
  | (SettingBase & { readonly type: "boolean"; readonly default: boolean })
  | (SettingBase & { readonly type: "choice"; readonly choices: readonly string[]; readonly default?: string })
  | (SettingBase & { readonly type: "list"; readonly default?: readonly string[] });

/** All settings of one process. */
export type SettingsTable = Readonly<Record<string, SettingSpec>>;

type ValueOf<S extends SettingSpec> = S extends { readonly type: "integer" }
  ? number
  : S extends { readonly type: "boolean" }
    ? boolean
    : S extends { readonly type: "list" }
      ? readonly string[]
      : S extends { readonly type: "choice"; readonly choices: readonly (infer C)[] }
        ? C
        : string;

/** The parsed values of a table. */
export type SettingsOf<T extends SettingsTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

/** Where settings come from: flags win over the environment, the environment over defaults. */
export interface SettingsSource {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Parsed settings, a wish for help, or everything that is wrong with them. */
export type ParsedSettings<T extends SettingsTable> =
  | { readonly kind: "values"; readonly values: SettingsOf<T> }
  | { readonly kind: "help" }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

/** A table of settings with its parser. */
export interface Settings<T extends SettingsTable> {
  readonly table: T;
  /** Pure. Reports all faults together. */
  parse(source: SettingsSource): ParsedSettings<T>;
  /** Text of `--help`. */
  help(): string;
  /** The values as log fields, secrets hidden. */
  printable(values: SettingsOf<T>): Readonly<Record<string, string>>;
}

/** Declares the settings of a process; `const` keeps the choices' words in the types. */
export function defineSettings<const T extends SettingsTable>(table: T): Settings<T> {
  return {
    table,
    parse: (source) => parseSettings(table, source),
    help: () =>
      Object.entries(table)
        .map(([key, spec]) => helpLine(key, spec))
        .join("\n"),
    printable: (values) => {
      const shown: Record<string, string> = {};
      for (const [key, spec] of Object.entries(table))
        shown[key] = spec.isSecret === true ? "(hidden)" : String(values[key]);
      return shown;
    },
  };
}

/** `dataDir` -> `--data-dir`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `dataDir` -> `HOLDFAST_DATA_DIR`, unless the row names another. */
export function environmentOf(key: string, spec: SettingSpec): string {
  return spec.environment ?? `HOLDFAST_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function helpLine(key: string, spec: SettingSpec): string {
  const range = spec.type === "integer" ? ` ${spec.min}..${spec.max} ${spec.unit}` : "";
  const choices = spec.type === "choice" ? ` ${spec.choices.join("|")}` : "";
  const fallback = spec.default === undefined ? "required" : `default ${String(spec.default) || "(empty)"}`;
  return `  ${flagOf(key)} <${spec.type}${range}${choices}>  ${spec.help} [${environmentOf(key, spec)}, ${fallback}]`;
}

function parseSettings<T extends SettingsTable>(table: T, source: SettingsSource): ParsedSettings<T> {
  if (source.argv.includes("--help") || source.argv.includes("-h")) return { kind: "help" };
  const faults: string[] = [];
  const flags = readFlags(table, source.argv, faults);
  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(table)) {
    const flag = flags.get(key);
    const text = flag ?? source.env[environmentOf(key, spec)];
    const origin = flag === undefined ? environmentOf(key, spec) : flagOf(key);
    if (text !== undefined) {
      values[key] = readValue(spec, text, (fault) => faults.push(`${origin}: ${fault}`));
    } else if (spec.default === undefined) {
      faults.push(`${flagOf(key)} (or ${environmentOf(key, spec)}) is required: ${spec.help}`);
    } else {
      values[key] = spec.default;
    }
  }
  // Every key of the table was filled above, by its own type.
  return faults.length > 0 ? { kind: "faults", faults } : { kind: "values", values: values as SettingsOf<T> };
}

/** Accepts `--flag value`, `--flag=value` and, for booleans, a bare `--flag`. */
function readFlags(table: SettingsTable, argv: readonly string[], faults: string[]): ReadonlyMap<string, string> {
  const keyByFlag = new Map(Object.keys(table).map((key) => [flagOf(key), key]));
  const flags = new Map<string, string>();
  for (let index = 0; index < argv.length; index++) {
    const [flag = "", ...inline] = (argv[index] ?? "").split("=");
    const key = keyByFlag.get(flag);
    if (key === undefined) {
      faults.push(`${flag}: no such setting; --help lists them`);
      continue;
    }
    const next = argv[index + 1];
    if (flags.has(key)) faults.push(`${flag}: given more than once`);
    if (inline.length > 0) {
      flags.set(key, inline.join("="));
    } else if (table[key]?.type === "boolean" && next !== "true" && next !== "false") {
      flags.set(key, "true");
    } else if (next === undefined || keyByFlag.has(next)) {
      faults.push(`${flag}: needs a value`);
    } else {
      flags.set(key, next);
      index++;
    }
  }
  return flags;
}

function readValue(spec: SettingSpec, text: string, fault: (sentence: string) => void): unknown {
  switch (spec.type) {
    case "text":
      if (text === "" && spec.isEmptyAllowed !== true) fault("must not be empty");
      return text;
    case "integer": {
      const value = Number(text);
      if (!/^-?\d+$/.test(text) || value < spec.min || value > spec.max) {
        fault(`must be a whole number of ${spec.unit} from ${spec.min} to ${spec.max}, not "${text}"`);
      }
      return value;
    }
    case "boolean":
      if (text !== "true" && text !== "false") fault(`must be true or false, not "${text}"`);
      return text === "true";
    case "choice":
      if (!spec.choices.includes(text)) fault(`must be one of ${spec.choices.join(", ")}, not "${text}"`);
      return text;
    case "list":
      return text
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
  }
}
