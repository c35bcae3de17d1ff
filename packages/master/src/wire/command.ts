import { fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import { FleetCommandSchema, FleetOutcomeSchema, type FleetCommand } from "@holdfast/proto/fleet/v1/fleet";
import {
  CommandOutcomeSchema,
  CommandSchema,
  GrantSchema,
  type Command,
  type CommandOutcome as WireOutcome,
} from "@holdfast/proto/master/v1/master";
import type { CommandOutcome, DomainCommand, Grant } from "../domain/commands.ts";
import type { FleetCommand as PlainFleetCommand, FleetOrder } from "../domain/fleet/orders.ts";
import { caseSchema, messageOf, plainOf, type PlainOf } from "./plain.ts";

type WireCase = Exclude<Command["command"], { case: undefined }>;
type WireCommand = {
  [C in WireCase as C["case"]]: { readonly kind: C["case"] } & PlainOf<C["value"]>;
}[WireCase["case"]];

type WireFleetCase = Exclude<FleetCommand["command"], { case: undefined }>;
type WireFleetOrder = {
  [C in WireFleetCase as C["case"]]: { readonly case: C["case"]; readonly value: PlainOf<C["value"]> };
}[WireFleetCase["case"]];

// The domain's hand-written commands and the proto agree, or these lines do not compile.
const wireIsDomain = (command: Exclude<WireCommand, { readonly kind: "fleet" }>): DomainCommand => command;
const wireIsOrder = (order: WireFleetOrder): FleetOrder => order;

/** The plain form of a command. Errors: `invalidArgument` when it is empty, unknown or has numbers out of range. */
export function commandFromWire(command: Command | undefined): DomainCommand {
  const kind = command?.command.case;
  const schema = kind === undefined ? undefined : caseSchema(CommandSchema, kind);
  if (command === undefined || kind === undefined || schema === undefined) {
    throw new HoldfastError(
      "invalidArgument",
      "The request holds no command that this master knows. Nothing was changed.",
    );
  }
  if (command.command.case === "fleet") return fleetFromWire(command.command.value);
  const fields = plainOf(schema, command.command.value as Message);
  return wireIsDomain({ kind, ...fields } as unknown as Parameters<typeof wireIsDomain>[0]);
}

/** The plain form of a fleet command. Errors: see `commandFromWire`. */
export function fleetFromWire(fleet: FleetCommand): PlainFleetCommand {
  const name = fleet.command.case;
  const schema = name === undefined ? undefined : caseSchema(FleetCommandSchema, name);
  if (name === undefined || schema === undefined) {
    throw new HoldfastError(
      "invalidArgument",
      "The request holds no order that this master knows. Nothing was changed.",
    );
  }
  const value = plainOf(schema, fleet.command.value as Message);
  const order = wireIsOrder({ case: name, value } as unknown as WireFleetOrder);
  return { kind: "fleet", order, candidateChunkIds: [] };
}

/** The wire form of an outcome. */
export function outcomeToWire(outcome: CommandOutcome): WireOutcome {
  return messageOf(CommandOutcomeSchema, outcome) as WireOutcome;
}

/** As it is kept for retries. */
export function encodeOutcome(outcome: CommandOutcome): Uint8Array {
  return toBinary(CommandOutcomeSchema, outcomeToWire(outcome));
}

/** What `encodeOutcome` kept. */
export function decodeOutcome(bytes: Uint8Array): CommandOutcome {
  const wire = fromBinary(CommandOutcomeSchema, bytes);
  const { entryId, versionId, userId, name } = wire;
  const grant = wire.grant === undefined ? {} : { grant: plainOf(GrantSchema, wire.grant) as unknown as Grant };
  const fleet = wire.fleet === undefined ? {} : { fleet: plainOf(FleetOutcomeSchema, wire.fleet) };
  return { entryId: Number(entryId), versionId: Number(versionId), userId: Number(userId), name, ...grant, ...fleet };
}
