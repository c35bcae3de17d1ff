import { expect, test } from "vitest";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { ada, startSimulatedGateway } from "../testing/simulated-gateway.ts";

test("a rename that happened is answered as done, also when the file is deleted before its repetition", async () => {
  const simulated = startSimulatedGateway();
  await simulated.world.runFor(1000);
  const { settle, scope, gateway } = simulated;
  const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "", client: "" };
  const { caller } = await settle(gateway.sessions.signIn(attempt, scope()));
  const folder = { parentId: 0n, name: "before", keepExisting: false };
  const { entryId } = await settle(gateway.drive.createFolder(caller, folder, scope()));
  const wish = { entryId, targetParentId: 0n, targetName: "after", ifRevision: 0n, conflict: ConflictPolicy.FAIL };
  const once = scope();
  expect(await settle(gateway.drive.moveEntry(caller, wish, once))).toMatchObject({ entryId, name: "after" });
  await settle(gateway.drive.purgeEntry(caller, entryId, scope()));
  expect(await settle(gateway.drive.moveEntry(caller, wish, once))).toMatchObject({ entryId });
});
