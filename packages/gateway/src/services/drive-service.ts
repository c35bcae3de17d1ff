import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  CommitUploadResponseSchema,
  CreateFolderResponseSchema,
  GetEntryResponseSchema,
  GetUploadResponseSchema,
  ListFolderResponseSchema,
  ListTrashResponseSchema,
  MoveEntryResponseSchema,
  RestoreEntryResponseSchema,
  StartUploadResponseSchema,
  type DriveService,
} from "@holdfast/proto/drive/v1/drive";
import type { Gateway } from "../build-gateway.ts";
import { callerOf, factsOf, scopeOf } from "./request-facts.ts";
import { whileSignedIn } from "./while-signed-in.ts";

/** Files and folders over Connect: find the caller, carry it out, answer. */
export function createDriveService(gateway: Gateway): ServiceImpl<typeof DriveService> {
  const { drive } = gateway;
  return {
    async getEntry({ entryId, path }, context) {
      const caller = await callerOf(gateway, context);
      const { entry, ancestors, index } = await drive.getEntry(caller, { entryId, path }, scopeOf(context));
      return create(GetEntryResponseSchema, { entry, ancestors: [...ancestors], index });
    },

    async listFolder({ folderId, offset, limit, cursor }, context) {
      const caller = await callerOf(gateway, context);
      const page = await drive.listFolder(caller, { folderId, offset, limit, cursor }, scopeOf(context));
      return create(ListFolderResponseSchema, { ...page, entries: [...page.entries], ancestors: [...page.ancestors] });
    },

    async createFolder({ requestId, parentId, name, keepExisting }, context) {
      const caller = await callerOf(gateway, context);
      const entry = await drive.createFolder(caller, { parentId, name, keepExisting }, scopeOf(context, requestId));
      return create(CreateFolderResponseSchema, { entry });
    },

    async moveEntry({ requestId, entryId, targetParentId, targetName, ifRevision, conflict }, context) {
      const caller = await callerOf(gateway, context);
      const move = { entryId, targetParentId, targetName, ifRevision, conflict };
      const entry = await drive.moveEntry(caller, move, scopeOf(context, requestId));
      return create(MoveEntryResponseSchema, { entry });
    },

    async trashEntry({ requestId, entryId, onlyIfEmpty }, context) {
      const caller = await callerOf(gateway, context);
      await drive.trashEntry(caller, { entryId, onlyIfEmpty }, scopeOf(context, requestId));
      return {};
    },

    async restoreEntry({ requestId, entryId }, context) {
      const caller = await callerOf(gateway, context);
      const entry = await drive.restoreEntry(caller, entryId, scopeOf(context, requestId));
      return create(RestoreEntryResponseSchema, { entry });
    },

    async purgeEntry({ requestId, entryId }, context) {
      const caller = await callerOf(gateway, context);
      await drive.purgeEntry(caller, entryId, scopeOf(context, requestId));
      return {};
    },

    async listTrash({ limit, cursor }, context) {
      const caller = await callerOf(gateway, context);
      const page = await drive.listTrash(caller, { limit, cursor }, scopeOf(context));
      return create(ListTrashResponseSchema, { entries: [...page.entries], cursor: page.cursor });
    },

    async *watch({ fromIndex }, context) {
      const caller = await callerOf(gateway, context);
      const scope = scopeOf(context);
      yield* whileSignedIn(drive.watch(caller, fromIndex, scope), async () => {
        await gateway.sessions.authenticate(factsOf(context).token, scope);
      });
    },

    ...createUploadMethods(gateway),
  };
}

/** The part of the service about uploads. */
function createUploadMethods(
  gateway: Gateway,
): Pick<ServiceImpl<typeof DriveService>, "startUpload" | "getUpload" | "commitUpload" | "abortUpload"> {
  const { uploads } = gateway.drive;
  return {
    async startUpload({ uploadId, parentId, name, sizeBytes, conflict }, context) {
      const caller = await callerOf(gateway, context);
      const partSizeBytes = await uploads.start(
        caller,
        { uploadId, parentId, name, sizeBytes, conflict },
        scopeOf(context),
      );
      return create(StartUploadResponseSchema, { partSizeBytes });
    },

    async getUpload({ uploadId }, context) {
      const caller = await callerOf(gateway, context);
      return create(GetUploadResponseSchema, { upload: await uploads.get(caller, uploadId, scopeOf(context)) });
    },

    async commitUpload({ uploadId, sizeBytes, sha256 }, context) {
      const caller = await callerOf(gateway, context);
      const entry = await uploads.commit(caller, { uploadId, sizeBytes, sha256 }, scopeOf(context));
      return create(CommitUploadResponseSchema, { entry });
    },

    async abortUpload({ uploadId }, context) {
      const caller = await callerOf(gateway, context);
      await uploads.abort(caller, uploadId, scopeOf(context));
      return {};
    },
  };
}
