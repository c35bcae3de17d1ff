import type { MenuItem } from "../../ui/overlay-store.ts";
import { openAdminDialogFromMenu, type AdminDialog } from "./admin-store.ts";
import type { ClusterNode } from "./model/cluster.ts";

/** What can be ordered of a node as it is, and of its process where that runs on this machine; each opens a dialog that shows what would happen. */
export function nodeActions(
  node: ClusterNode,
  { processName, isReplaced }: { readonly processName: string | undefined; readonly isReplaced: boolean },
  anchor: HTMLElement,
): readonly MenuItem[] {
  const open = (dialog: AdminDialog) => openAdminDialogFromMenu(dialog, anchor);
  const isBack = node.intent === "active";
  const back: Readonly<Partial<Record<ClusterNode["intent"], string>>> = {
    draining: "Cancel the drain…",
    drained: "Take copies again…",
    maintenance: "End maintenance…",
    failed: "Take back…",
  };
  const backLabel = isReplaced ? undefined : back[node.intent];
  return [
    ...(backLabel === undefined ? [] : [{ label: backLabel, onSelect: () => open({ kind: "activate", node }) }]),
    ...(isBack ? [{ label: "Drain…", onSelect: () => open({ kind: "drain", node }) }] : []),
    ...(isBack ? [{ label: "Maintenance…", onSelect: () => open({ kind: "maintenance", node }) }] : []),
    ...(isReplaced ? [] : [{ label: "Replace…", onSelect: () => open({ kind: "replace", node }) }]),
    { label: "Zone and rack…", onSelect: () => open({ kind: "label", node }) },
    {
      label: "What if it died?",
      startsGroup: true,
      onSelect: () => open({ kind: "whatIf", nodeIds: [node.nodeId], zone: "" }),
    },
    { label: "Failure drill…", onSelect: () => open({ kind: "drill", node }) },
    ...(processName === undefined
      ? []
      : [{ label: "Stop its process…", onSelect: () => open({ kind: "stopLocal", node, processName }) }]),
    ...(node.intent === "failed"
      ? []
      : [
          {
            label: "Declare dead…",
            isDangerous: true,
            startsGroup: true,
            onSelect: () => open({ kind: "fail", node }),
          },
        ]),
    { label: "Remove…", isDangerous: true, onSelect: () => open({ kind: "remove", node }) },
  ];
}
