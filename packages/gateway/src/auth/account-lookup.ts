import { create } from "@bufbuild/protobuf";
import { isHoldfastError } from "@holdfast/base";
import { GetUserRequestSchema, type User } from "@holdfast/proto/master/v1/master";
import type { Masters, RequestScope } from "../drive/ports.ts";
import type { SessionsParts } from "./session-parts.ts";

/** An attempt that failed because of us does not count as a guess. */
export async function refundingOutage<T>(
  parts: SessionsParts,
  attempt: { readonly ip: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    parts.throttle.refund(attempt);
    throw thrown;
  }
}

/** The account with its password hash, or undefined when there is none. */
export async function findUser(
  masters: Masters,
  which: { readonly email?: string; readonly userId?: bigint; readonly atLeastIndex?: bigint },
  scope: RequestScope,
): Promise<User | undefined> {
  try {
    return (await masters.queries.getUser(create(GetUserRequestSchema, which), scope)).user;
  } catch (thrown) {
    if (isHoldfastError(thrown, "notFound")) return undefined;
    throw thrown;
  }
}
