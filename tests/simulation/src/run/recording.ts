/** What a machine's process is doing. */
export interface MachineState {
  readonly phase: "up" | "starting" | "paused" | "down";
  /** Of a master; empty otherwise. */
  readonly role: "leader" | "follower" | "";
  readonly term: number;
}

/** What became of a copy, or that a node joined. */
export type CopyChange = "placed" | "confirmed" | "lost" | "trimOrdered" | "trimmed" | "damaged" | "joined";

/** A run from beginning to end, as the page shows it. Times are ms of virtual time. */
export interface Recording {
  readonly endMs: number;
  readonly machines: readonly string[];
  readonly events: readonly {
    readonly atMs: number;
    readonly kind: "log" | "step" | "fault" | "machine" | "violation" | "phase";
    /** Whose it is; empty for everybody's. */
    readonly machine: string;
    readonly text: string;
  }[];
  readonly faults: readonly {
    readonly what: string;
    readonly kind: string;
    readonly machines: readonly string[];
    readonly fromMs: number;
    readonly toMs: number | undefined;
  }[];
  readonly states: readonly { readonly atMs: number; readonly machine: string; readonly state: MachineState }[];
  /** `machine` is a machine's name, or "#7" for node 7. */
  readonly copies: readonly {
    readonly atMs: number;
    readonly chunkId: number;
    readonly machine: string;
    readonly change: CopyChange;
  }[];
  readonly steps: readonly {
    readonly who: string;
    readonly what: string;
    readonly fromMs: number;
    readonly toMs: number | undefined;
    readonly outcome: string;
  }[];
}
