import { blobPart, uint32Part } from "../codec/key-codec.ts";
import { blob, listOf, record, text, uint } from "../codec/value-codec.ts";
import { defineTable, type TableReader, type Tables } from "../tables.ts";
import { tokenReplacesTable } from "./replacements.ts";

/** What became of a join token. */
export const joinTokenState = { out: 1, used: 2, revoked: 3, expired: 4 } as const;

/** A one-use token with which a new node may join. */
export interface JoinTokenRow {
  readonly joinTokenId: number;
  /** Of the token, which is never stored. */
  readonly tokenSha256: Uint8Array;
  readonly label: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** One of `joinTokenState`. */
  readonly state: number;
  /** Leader time at which it was used, revoked or swept; 0 = it is out. */
  readonly endedAtMs: number;
  /** 0 = unused. */
  readonly usedByNodeId: number;
  readonly actor: string;
}

/** Tokens that may be out at once. */
export const joinTokensOutMax = 100;
/** Tokens that ended and are remembered, so that a node that comes with one is told what became of it. */
const joinTokensEndedMax = 200;

/** Join tokens by id. */
export const joinTokenTable = defineTable({
  name: "joinToken",
  tag: 0x34,
  keyParts: [uint32Part],
  value: record<JoinTokenRow>({
    joinTokenId: uint,
    tokenSha256: blob,
    label: text,
    issuedAtMs: uint,
    expiresAtMs: uint,
    state: uint,
    endedAtMs: uint,
    usedByNodeId: uint,
    actor: text,
  }),
});

/** Token ids by the token's hash. */
export const joinTokenByHashTable = defineTable({
  name: "joinTokenByHash",
  tag: 0x35,
  keyParts: [blobPart(32)],
  value: record<{ readonly joinTokenId: number }>({ joinTokenId: uint }),
});

interface JoinTokenList {
  /** Ascending. */
  readonly outIds: readonly number[];
  /** In the order in which they ended. */
  readonly endedIds: readonly number[];
}

/** Which tokens there are; one row. */
export const joinTokenListTable = defineTable({
  name: "joinTokenList",
  tag: 0x36,
  keyParts: [],
  value: record<JoinTokenList>({ outIds: listOf(uint), endedIds: listOf(uint) }),
});

/** Ids of the tokens that are out, oldest first. */
export function outJoinTokenIds(tables: TableReader): readonly number[] {
  return listOfTokens(tables).outIds;
}

/** Tokens that are out and those that ended lately, by id. */
export function listJoinTokens(tables: TableReader): readonly JoinTokenRow[] {
  const { outIds, endedIds } = listOfTokens(tables);
  return [...outIds, ...endedIds]
    .map((id) => tables.get(joinTokenTable, [id]))
    .filter((row) => row !== undefined)
    .toSorted((left, right) => left.joinTokenId - right.joinTokenId);
}

/** The token of a hash; undefined when it was never issued or ended long ago. */
export function findJoinToken(tables: TableReader, tokenSha256: Uint8Array): JoinTokenRow | undefined {
  if (tokenSha256.length !== 32) return undefined;
  const found = tables.get(joinTokenByHashTable, [tokenSha256]);
  return found === undefined ? undefined : tables.get(joinTokenTable, [found.joinTokenId]);
}

/** For `evolve`: a token is out from now on. */
export function addJoinToken(tables: Tables, row: JoinTokenRow): void {
  const list = listOfTokens(tables);
  tables.set(joinTokenTable, [row.joinTokenId], row);
  tables.set(joinTokenByHashTable, [row.tokenSha256], { joinTokenId: row.joinTokenId });
  tables.set(joinTokenListTable, [], { ...list, outIds: [...list.outIds, row.joinTokenId] });
}

/** For `evolve`: a token works no longer. One that is not out stays as it is. */
export function endJoinToken(
  tables: Tables,
  joinTokenId: number,
  end: Pick<JoinTokenRow, "state" | "endedAtMs" | "usedByNodeId">,
): void {
  const row = tables.get(joinTokenTable, [joinTokenId]);
  if (row === undefined || row.state !== joinTokenState.out) return;
  tables.set(joinTokenTable, [joinTokenId], { ...row, ...end });
  const list = listOfTokens(tables);
  const endedIds = [...list.endedIds, joinTokenId];
  const forgotten = endedIds.length > joinTokensEndedMax ? endedIds.shift() : undefined;
  tables.set(joinTokenListTable, [], { outIds: list.outIds.filter((id) => id !== joinTokenId), endedIds });
  if (forgotten === undefined) return;
  const old = tables.get(joinTokenTable, [forgotten]);
  if (old !== undefined) tables.delete(joinTokenByHashTable, [old.tokenSha256]);
  tables.delete(joinTokenTable, [forgotten]);
  if (tables.get(tokenReplacesTable, [forgotten]) !== undefined) tables.delete(tokenReplacesTable, [forgotten]);
}

function listOfTokens(tables: TableReader): JoinTokenList {
  return tables.get(joinTokenListTable, []) ?? { outIds: [], endedIds: [] };
}
