import { create } from "@bufbuild/protobuf";
import { createConnectRouter, type ConnectRouter, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { DriveService, SessionService, WatchResponseSchema } from "@holdfast/proto/drive/v1/drive";
import { addAdmin } from "./memory-admin.ts";
import type { MemoryState } from "./memory-state.ts";
import { Refusal } from "./refusal.ts";

/** The three Connect services over a memory state. */
export function memoryRouter(state: MemoryState): ConnectRouter {
  const router = createConnectRouter();
  addSessions(router, state);
  addDrive(router, state);
  addAdmin(router, state);
  return router;
}

function addSessions(router: ConnectRouter, state: MemoryState): void {
  const start = (context: HandlerContext, email: string) => {
    context.responseHeader.set(
      "Set-Cookie",
      `holdfast-sid=${state.startSession(email)}; Path=/; HttpOnly; SameSite=Strict`,
    );
    return { account: state.account(email) };
  };
  router.service(SessionService, {
    async signIn(request, context) {
      await state.faults.pause();
      const email = request.email.trim().toLowerCase();
      if (state.accounts.get(email)?.password !== request.password)
        throw new Refusal("unauthenticated", "E-mail or password is not right.");
      return start(context, email);
    },
    signOut(_request, context) {
      state.endSession(context.requestHeader);
      context.responseHeader.set("Set-Cookie", "holdfast-sid=; Path=/; Max-Age=0");
      return {};
    },
    whoAmI(_request, context) {
      return {
        account: state.account(state.emailOf(context.requestHeader)),
        partSizeBytes: state.partSizeBytes,
        version: "0.1.0 (memory)",
      };
    },
    setUp(request, context) {
      if (request.token !== state.setUpToken)
        throw new Refusal(
          "denied",
          "This set-up link was used or has expired. Nothing was changed. Start Holdfast again to get a new one.",
        );
      if (request.password.length < 8)
        throw new Refusal("invalidArgument", "The password needs at least 8 characters.");
      const email = request.email.trim().toLowerCase();
      state.accounts.set(email, { password: request.password, isAdmin: true });
      return start(context, email);
    },
  });
}

function addDrive(router: ConnectRouter, state: MemoryState): void {
  const { drive } = state;
  const enter = async (context: HandlerContext) => {
    state.emailOf(context.requestHeader);
    state.calls += 1;
    await state.faults.pause();
  };
  router.service(DriveService, {
    ...uploadHandlers(state),
    async getEntry(request, context) {
      await enter(context);
      const entry = drive.get(request.entryId);
      return { entry, ancestors: drive.ancestors(entry), index: BigInt(drive.index) };
    },
    async listFolder(request, context) {
      await enter(context);
      const folder = drive.get(request.folderId);
      const children = drive.children(request.folderId);
      const limit = request.limit === 0 ? 200 : request.limit;
      return {
        entries: children.slice(request.offset, request.offset + limit),
        totalCount: children.length,
        index: BigInt(drive.index),
        folder,
        ancestors: drive.ancestors(folder),
      };
    },
    async createFolder(request, context) {
      await enter(context);
      return {
        entry: state.once(request.requestId, () =>
          drive.createFolder(request.parentId, request.name, request.keepExisting),
        ),
      };
    },
    async moveEntry(request, context) {
      await enter(context);
      return {
        entry: state.once(request.requestId, () =>
          drive.move(request.entryId, request.targetParentId, request.targetName, request.conflict),
        ),
      };
    },
    async trashEntry(request, context) {
      await enter(context);
      drive.moveToTrash(request.entryId);
      return {};
    },
    async restoreEntry(request, context) {
      await enter(context);
      return { entry: state.once(request.requestId, () => drive.restore(request.entryId)) };
    },
    async purgeEntry(request, context) {
      await enter(context);
      drive.purge(request.entryId);
      return {};
    },
    async listTrash(_request, context) {
      await enter(context);
      return { entries: drive.trash(), cursor: new Uint8Array() };
    },
    async *watch(request, context) {
      state.emailOf(context.requestHeader);
      let seen = request.fromIndex === 0n ? drive.index : Number(request.fromIndex);
      yield create(WatchResponseSchema, { index: BigInt(seen) });
      state.watcherCount += 1;
      context.signal.addEventListener("abort", () => (state.watcherCount -= 1), { once: true });
      while (!context.signal.aborted) {
        for (const change of drive.log.filter((one) => one.index > seen)) {
          seen = change.index;
          yield create(WatchResponseSchema, { index: BigInt(seen), changes: [...change.changes] });
        }
        await state.nextChange(context.signal, seen);
        if (drive.log.at(-1)?.index === undefined || (drive.log.at(-1)?.index ?? 0) <= seen)
          yield create(WatchResponseSchema, { index: BigInt(seen) });
      }
    },
  });
}

/** The upload calls, spread into the drive service. */
function uploadHandlers(
  state: MemoryState,
): Pick<ServiceImpl<typeof DriveService>, "startUpload" | "getUpload" | "commitUpload" | "abortUpload"> {
  return {
    startUpload(request, context) {
      state.emailOf(context.requestHeader);
      state.startUpload(request);
      return { partSizeBytes: state.partSizeBytes };
    },
    getUpload(request, context) {
      state.emailOf(context.requestHeader);
      return { upload: state.describeUpload(request.uploadId) };
    },
    commitUpload(request, context) {
      state.emailOf(context.requestHeader);
      return { entry: state.commitUpload(request.uploadId) };
    },
    abortUpload(request, context) {
      state.emailOf(context.requestHeader);
      state.uploads.delete(request.uploadId);
      return {};
    },
  };
}
