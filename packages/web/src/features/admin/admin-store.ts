import { create } from "zustand";
import { after } from "../../lib/time.ts";
import type { ClusterNode } from "./model/cluster.ts";

/** What the cluster may be told to stop doing on its own, or to go on with. */
export type HousekeepingChange = "pauseBalance" | "resumeBalance" | "pauseRepair" | "resumeRepair" | "acceptLoss";

/** An open dialog of the admin page. */
export type AdminDialog =
  | {
      readonly kind: "drain" | "activate" | "maintenance" | "fail" | "replace" | "remove" | "label" | "drill";
      readonly node: ClusterNode;
    }
  | { readonly kind: "stopLocal"; readonly node: ClusterNode; readonly processName: string }
  | { readonly kind: "housekeeping"; readonly change: HousekeepingChange }
  | { readonly kind: "replication" | "addNode" | "chunk" }
  | { readonly kind: "whatIf"; readonly nodeIds: readonly number[]; readonly zone: string };

interface AdminDialogState {
  readonly dialog: AdminDialog | undefined;
  /** Where the keyboard goes when it closes. */
  readonly returnTo: HTMLElement | undefined;
}

/** Which dialog of the admin page is open. */
export const useAdminDialog = create<AdminDialogState>(() => ({ dialog: undefined, returnTo: undefined }));

/** Opens a dialog. */
export function openAdminDialog(dialog: AdminDialog, returnTo?: HTMLElement): void {
  useAdminDialog.setState({ dialog, returnTo });
}

/**
 * Opens a dialog from a menu, one turn later: a menu item may be chosen by letting the button go, and the click that
 * follows would otherwise be taken for one outside of the new dialog, and close it.
 */
export function openAdminDialogFromMenu(dialog: AdminDialog, returnTo: HTMLElement): void {
  after(0, () => openAdminDialog(dialog, returnTo));
}

/** Closes it. */
export function closeAdminDialog(): void {
  useAdminDialog.setState({ dialog: undefined });
}
