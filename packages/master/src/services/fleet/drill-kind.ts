import { DrillKind } from "@holdfast/proto/fleet/v1/fleet";

const kinds = new Map([
  ["stop", DrillKind.STOP],
  ["partition", DrillKind.PARTITION],
  ["slow", DrillKind.SLOW],
  ["corrupt", DrillKind.CORRUPT],
]);

/** `holdfast.fleet.v1.DrillKind` of a drill's word in the log. */
export function drillKindToWire(word: string): DrillKind {
  return kinds.get(word) ?? DrillKind.UNSPECIFIED;
}
