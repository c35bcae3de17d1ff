import { exhaustive } from "@holdfast/base";
import { decideChangePassword, decideCreateUser, decideDisableUser, decideIssueSetupToken } from "./accounts/decide.ts";
import { decideEndSession, decideStartSession } from "./accounts/decide-sessions.ts";
import { decideGrantChunks, decideReportBadReplica } from "./chunks/decide.ts";
import type { DomainCommand } from "./commands.ts";
import type { DecideContext, DecideResult } from "./decision.ts";
import { decideFleet } from "./fleet/decide-fleet.ts";
import { decideCommitFile } from "./namespace/decide-commit.ts";
import { decideCreateFolder, decideMoveEntry } from "./namespace/decide.ts";
import { decidePurgeEntry, decideRestoreEntry, decideTrashEntry } from "./namespace/decide-trash.ts";
import type { TableReader } from "./tables.ts";
import { decideAbortUpload, decideCommitUpload, decideStartUpload, decideStoreUploadPart } from "./uploads/decide.ts";

/** Command in, events out: what follows from a command as the tables stand. Pure; changes nothing. */
export function decide(tables: TableReader, command: DomainCommand, context: DecideContext): DecideResult {
  switch (command.kind) {
    case "createUser":
      return decideCreateUser(tables, command, context);
    case "changePassword":
      return decideChangePassword(tables, command);
    case "disableUser":
      return decideDisableUser(tables, command);
    case "issueSetupToken":
      return decideIssueSetupToken(tables, command, context);
    case "startSession":
      return decideStartSession(tables, command, context);
    case "endSession":
      return decideEndSession(tables, command);
    case "createFolder":
      return decideCreateFolder(tables, command);
    case "commitFile":
      return decideCommitFile(tables, command, context);
    case "moveEntry":
      return decideMoveEntry(tables, command);
    case "trashEntry":
      return decideTrashEntry(tables, command);
    case "restoreEntry":
      return decideRestoreEntry(tables, command);
    case "purgeEntry":
      return decidePurgeEntry(tables, command);
    case "startUpload":
      return decideStartUpload(tables, command, context);
    case "storeUploadPart":
      return decideStoreUploadPart(tables, command, context);
    case "commitUpload":
      return decideCommitUpload(tables, command, context);
    case "abortUpload":
      return decideAbortUpload(tables, command);
    case "grantChunks":
      return decideGrantChunks(tables, command, context);
    case "reportBadReplica":
      return decideReportBadReplica(tables, command, context);
    case "fleet":
      return decideFleet(tables, command, context);
    default:
      return exhaustive(command);
  }
}
