import type { MenuItem } from "../../ui/overlay-store.ts";
import { openAdminDialog } from "./admin-store.ts";
import type { ClusterNode } from "./model/cluster.ts";

/** What can be ordered of a node as it is; each opens a dialog that shows what would happen. */
export function nodeActions(node: ClusterNode, isLocal: boolean): readonly MenuItem[] {
  const isBack = node.intent === "active";
  const back: Readonly<Partial<Record<ClusterNode["intent"], string>>> = {
    draining: "Cancel the drain…",
    drained: "Take copies again…",
    maintenance: "End maintenance…",
    failed: "Take back…",
  };
  const backLabel = back[node.intent];
  return [
    ...(backLabel === undefined
      ? []
      : [{ label: backLabel, onSelect: () => openAdminDialog({ kind: "activate", node }) }]),
    ...(isBack ? [{ label: "Drain…", onSelect: () => openAdminDialog({ kind: "drain", node }) }] : []),
    ...(isBack ? [{ label: "Maintenance…", onSelect: () => openAdminDialog({ kind: "maintenance", node }) }] : []),
    { label: "Zone and rack…", onSelect: () => openAdminDialog({ kind: "label", node }) },
    {
      label: "What if it died?",
      startsGroup: true,
      onSelect: () => openAdminDialog({ kind: "whatIf", nodeIds: [node.nodeId], zone: "" }),
    },
    { label: "Failure drill…", onSelect: () => openAdminDialog({ kind: "drill", node }) },
    ...(isLocal ? [{ label: "Stop its process…", onSelect: () => openAdminDialog({ kind: "stopLocal", node }) }] : []),
    ...(node.intent === "failed"
      ? []
      : [
          {
            label: "Declare dead…",
            isDangerous: true,
            startsGroup: true,
            onSelect: () => openAdminDialog({ kind: "fail", node }),
          },
        ]),
    { label: "Remove…", isDangerous: true, onSelect: () => openAdminDialog({ kind: "remove", node }) },
  ];
}
