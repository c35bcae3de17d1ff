import { fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  CommandOutcomeSchema,
  CommandSchema,
  GrantSchema,
  type Command,
  type CommandOutcome as WireOutcome,
} from "@holdfast/proto/master/v1/master";
import type { CommandOutcome, DomainCommand, Grant } from "../domain/commands.ts";
import { caseSchema, messageOf, plainOf, type PlainOf } from "./plain.ts";

type WireCase = Exclude<Command["command"], { case: undefined }>;
type WireCommand = {
  [C in WireCase as C["case"]]: { readonly kind: C["case"] } & PlainOf<C["value"]>;
}[WireCase["case"]];

// The domain's hand-written commands and the proto agree, or this line does not compile.
const wireIsDomain = (command: WireCommand): DomainCommand => command;

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
  const fields = plainOf(schema, command.command.value as Message);
  return wireIsDomain({ kind, ...fields } as unknown as WireCommand);
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
  return { entryId: Number(entryId), versionId: Number(versionId), userId: Number(userId), name, ...grant };
}
