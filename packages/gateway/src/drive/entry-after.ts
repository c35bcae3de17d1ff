import { create } from "@bufbuild/protobuf";
import { isHoldfastError, must } from "@holdfast/base";
import { type ExecuteResponse, GetEntryRequestSchema } from "@holdfast/proto/master/v1/master";
import { type Entry, EntrySchema } from "@holdfast/proto/model/v1/model";
import type { Caller, Masters, RequestScope } from "./ports.ts";

/** A change that was carried out. */
export interface DoneChange {
  readonly caller: Caller;
  readonly entryId: bigint;
  readonly done: Pick<ExecuteResponse, "index" | "outcome">;
}

/**
 * The changed entry as it is now. When somebody has deleted it since, the change happened all the same and is never
 * answered as if it had not: then only what its outcome tells is there (id, name, revision).
 */
export async function entryAfter(
  masters: Masters,
  { caller, entryId, done }: DoneChange,
  scope: RequestScope,
): Promise<Entry> {
  const request = create(GetEntryRequestSchema, { entryId, userId: caller.userId, atLeastIndex: done.index });
  try {
    return must((await masters.queries.getEntry(request, scope)).entry, "a found entry is in the answer");
  } catch (thrown) {
    if (!isHoldfastError(thrown, "notFound")) throw thrown;
    return create(EntrySchema, { entryId, name: done.outcome?.name ?? "", revision: done.index });
  }
}
