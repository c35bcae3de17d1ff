import { assert } from "@holdfast/base";
import { Standing as WireStanding } from "@holdfast/proto/raft/v1/raft";
import type { Standing } from "./transport.ts";

const wireStandings: Readonly<Record<Standing, WireStanding>> = {
  member: WireStanding.MEMBER,
  stranger: WireStanding.STRANGER,
  rolledBack: WireStanding.ROLLED_BACK,
};

/** As it goes over the wire. */
export function standingToWire(standing: Standing): WireStanding {
  return wireStandings[standing];
}

/** As it came; undefined: nothing was said, or by a newer version. */
export function standingFromWire(wire: WireStanding): Standing | undefined {
  if (wire === WireStanding.MEMBER) return "member";
  if (wire === WireStanding.STRANGER) return "stranger";
  return wire === WireStanding.ROLLED_BACK ? "rolledBack" : undefined;
}

/** Two lower-case digits a byte: incarnations are compared and kept as text. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** The bytes of `hexOf`. */
export function bytesOfHex(hex: string): Uint8Array {
  assert(/^([0-9a-f]{2})*$/.test(hex), "hex digits come in pairs");
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
