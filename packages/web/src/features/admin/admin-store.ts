import { create } from "zustand";
import type { ClusterNode } from "./model/cluster.ts";

/** What the cluster may be told to stop doing on its own, or to go on with. */
export type HousekeepingChange = "pauseBalance" | "resumeBalance" | "pauseRepair" | "resumeRepair" | "acceptLoss";

/** An open dialog of the admin page. */
export type AdminDialog =
  | {
      readonly kind: "drain" | "activate" | "maintenance" | "fail" | "remove" | "label" | "drill" | "stopLocal";
      readonly node: ClusterNode;
    }
  | { readonly kind: "housekeeping"; readonly change: HousekeepingChange }
  | { readonly kind: "replication" | "addNode" | "chunk" }
  | { readonly kind: "whatIf"; readonly nodeIds: readonly number[]; readonly zone: string };

/** Which dialog of the admin page is open. */
export const useAdminDialog = create<{ readonly dialog: AdminDialog | undefined }>(() => ({ dialog: undefined }));

/** Opens a dialog. */
export function openAdminDialog(dialog: AdminDialog): void {
  useAdminDialog.setState({ dialog });
}

/** Closes it. */
export function closeAdminDialog(): void {
  useAdminDialog.setState({ dialog: undefined });
}
