import type { RaftSettings, RaftStatus } from "@holdfast/raft";

/** How a member process is started: as JSON in its first argument. */
export interface MemberOptions {
  readonly id: number;
  /** Of all members, by id - 1. */
  readonly addresses: readonly string[];
  readonly directory: string;
  readonly settings?: Partial<RaftSettings>;
  readonly logLevel?: "debug" | "info" | "warn" | "error";
}

/** What a member process is told. */
export type MemberCommand =
  | { readonly kind: "load"; readonly callers: number; readonly seconds: number; readonly entryBytes: number }
  | { readonly kind: "propose"; readonly text: string }
  | { readonly kind: "status" }
  | { readonly kind: "transfer" }
  | { readonly kind: "metrics" }
  | { readonly kind: "stop" };

/** How a load went; times in ms. */
export interface LoadReport {
  readonly kind: "load";
  readonly applied: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What a member process tells. */
export type MemberReport =
  | { readonly kind: "started" }
  | { readonly kind: "readyToLead"; readonly term: number }
  | { readonly kind: "proposed"; readonly text: string; readonly outcome: string }
  | {
      readonly kind: "status";
      readonly status: RaftStatus;
      readonly count: number;
      readonly checksum: number;
      readonly cpuMs: number;
      readonly rssBytes: number;
    }
  /** `refusal` is empty when another member leads now. */
  | { readonly kind: "transferred"; readonly refusal: string }
  | { readonly kind: "metrics"; readonly text: string }
  | LoadReport;
