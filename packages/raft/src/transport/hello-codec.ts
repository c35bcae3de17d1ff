import { create } from "@bufbuild/protobuf";
import { assert, toHex } from "@holdfast/base";
import { CofounderSchema, Standing as WireStanding, type Cofounder } from "@holdfast/proto/raft/v1/raft";
import type { PeerId } from "../core/types.ts";
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

/** Directories by member, as they go over the wire. */
export function cofoundersToWire(cofounders: ReadonlyMap<PeerId, string>): Cofounder[] {
  return [...cofounders].map(([member, incarnation]) =>
    create(CofounderSchema, { member, incarnation: bytesOfHex(incarnation) }),
  );
}

/** As they came. */
export function cofoundersFromWire(wire: readonly Cofounder[]): ReadonlyMap<PeerId, string> {
  return new Map(wire.map(({ member, incarnation }) => [member as PeerId, hexOf(incarnation)]));
}

/** Two lower-case digits a byte: incarnations are compared and kept as text. */
export function hexOf(bytes: Uint8Array): string {
  return toHex(bytes);
}

/** The bytes of `hexOf`. */
export function bytesOfHex(hex: string): Uint8Array {
  assert(/^([0-9a-f]{2})*$/.test(hex), "hex digits come in pairs");
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
