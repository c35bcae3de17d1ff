/**
 * What administrators order, in plain types: `holdfast.fleet.v1.FleetCommand` with `case` and `value` as in its oneof.
 * What each field means, and which refusals an order knows, is said in the proto.
 */
export type FleetOrder =
  | { readonly case: "drainNode"; readonly value: { readonly nodeId: number; readonly reason: string } }
  | { readonly case: "activateNode"; readonly value: { readonly nodeId: number } }
  | { readonly case: "startMaintenance"; readonly value: StartMaintenance }
  | { readonly case: "failNode"; readonly value: FailNode }
  | { readonly case: "removeNode"; readonly value: { readonly nodeId: number; readonly isForced: boolean } }
  | { readonly case: "labelNode"; readonly value: LabelNode }
  | { readonly case: "setReplication"; readonly value: { readonly replication: number } }
  | { readonly case: "setHousekeeping"; readonly value: SetHousekeeping }
  | { readonly case: "issueJoinToken"; readonly value: IssueJoinToken }
  | { readonly case: "revokeJoinToken"; readonly value: RevokeJoinToken }
  | { readonly case: "startDrill"; readonly value: StartDrill }
  | { readonly case: "stopDrill"; readonly value: { readonly drillId: number; readonly nodeId: number } };

/** The value of one order. */
export type FleetOrderOf<C extends FleetOrder["case"]> = Extract<FleetOrder, { readonly case: C }>["value"];

/** A fleet order as a command. */
export interface FleetCommand {
  readonly kind: "fleet";
  readonly order: FleetOrder;
  /** Of a drill that damages a copy: chunks that looked fit for it; decided anew. See `prepareFleetCommand`. */
  readonly candidateChunkIds: readonly number[];
}

/** What an order led to. */
export interface FleetOutcome {
  readonly joinTokenId?: number;
  readonly drillId?: number;
}

interface StartMaintenance {
  readonly nodeId: number;
  readonly durationMs: number;
  readonly reason: string;
  readonly isForced: boolean;
}
interface FailNode {
  readonly nodeId: number;
  readonly reason: string;
  readonly isForced: boolean;
}
interface LabelNode {
  readonly nodeId: number;
  readonly zone: string;
  readonly rack: string;
}
/** What is absent stays as it is. */
interface SetHousekeeping {
  readonly isBalancePaused?: boolean | undefined;
  readonly isRepairPaused?: boolean | undefined;
  readonly isMassLossAccepted?: boolean | undefined;
}
interface IssueJoinToken {
  readonly tokenSha256: Uint8Array;
  readonly lifetimeMs: number;
  readonly label: string;
  /** 0 = nobody. */
  readonly replacesNodeId: number;
}
interface RevokeJoinToken {
  readonly joinTokenId: number;
  readonly isAll: boolean;
}
interface StartDrill {
  readonly nodeId: number;
  /** `holdfast.fleet.v1.DrillKind` by number. */
  readonly kind: number;
  readonly durationMs: number;
  readonly delayMs: number;
}
