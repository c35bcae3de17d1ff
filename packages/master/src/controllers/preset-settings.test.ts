import { expect, test } from "vitest";
import { changePreset, faultsOfPreset, presetSettings, type PresetValues } from "./preset-settings.ts";
import { presets, type Preset } from "./presets.ts";

const unchanged = Object.fromEntries(Object.keys(presetSettings).map((key) => [key, -1])) as PresetValues;

/** Every number of a preset, by its path. */
function numbersOf(preset: Preset): readonly (readonly [string, number])[] {
  return Object.entries(preset).flatMap(([group, value]): (readonly [string, number])[] =>
    typeof value === "number"
      ? [[group, value]]
      : Object.entries(value as Readonly<Record<string, number>>).map(([field, some]) => [`${group}.${field}`, some]),
  );
}

test.each([presets.demo, presets.production])("without settings a preset is as it is, and sound", (preset) => {
  expect(changePreset(preset, unchanged)).toEqual(preset);
  expect(faultsOfPreset(preset)).toEqual([]);
});

test("every time and rate of a preset has a setting of its own", () => {
  const settings = Object.keys(presetSettings) as (keyof PresetValues)[];
  const touched = settings.map((key) => {
    const changed = changePreset(presets.demo, { ...unchanged, [key]: 77 });
    const before = new Map(numbersOf(presets.demo));
    return numbersOf(changed).flatMap(([path, value]) => (value === before.get(path) ? [] : [path]));
  });
  expect(touched.every((paths) => paths.length === 1)).toBe(true);
  expect(touched.flat().toSorted()).toEqual(
    numbersOf(presets.demo)
      .map(([path]) => path)
      .toSorted(),
  );
});

test("what can't work is said in words", () => {
  const broken = {
    ...unchanged,
    suspectAfterMs: 20_000,
    balanceMovesMax: 0,
    repairIntervalMs: 1,
    repairBytesPerSecondMax: 5,
  };
  expect(faultsOfPreset(changePreset(presets.demo, broken))).toEqual([
    "--suspect-after-ms is not more than --dead-after-ms",
    "an interval is at least 10 ms",
    "a number of copies, orders or moves at once is at least 1",
    "a rate is at least 65536 bytes a second",
  ]);
});
