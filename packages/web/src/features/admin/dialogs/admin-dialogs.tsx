import type { ReactNode } from "react";
import { useAdminDialog } from "../admin-store.ts";
import type { Cluster } from "../model/cluster.ts";
import type { Fleet } from "../model/fleet.ts";
import { AddNodeDialog } from "./add-node-dialog.tsx";
import { ChunkDialog } from "./chunk-dialog.tsx";
import { HousekeepingDialog, ReplicationDialog, WhatIfDialog } from "./cluster-dialogs.tsx";
import {
  ActivateDialog,
  DrainDialog,
  DrillDialog,
  FailDialog,
  LabelDialog,
  MaintenanceDialog,
  RemoveDialog,
  StopLocalDialog,
} from "./node-dialogs.tsx";
import { ReplaceDialog } from "./replace-dialog.tsx";

/** The open dialog of the admin page. Its own chunk: it loads after the page is on screen. */
export function AdminDialogs(props: {
  readonly cluster: Cluster;
  readonly fleet: Fleet | undefined;
  readonly isLocalPossible: boolean;
}): ReactNode {
  const dialog = useAdminDialog((state) => state.dialog);
  switch (dialog?.kind) {
    case undefined:
      return null;
    case "drain":
      return <DrainDialog node={dialog.node} />;
    case "activate":
      return <ActivateDialog node={dialog.node} />;
    case "maintenance":
      return <MaintenanceDialog node={dialog.node} />;
    case "fail":
      return <FailDialog node={dialog.node} />;
    case "replace":
      return <ReplaceDialog node={dialog.node} {...props} />;
    case "remove":
      return <RemoveDialog node={dialog.node} />;
    case "label":
      return <LabelDialog node={dialog.node} />;
    case "drill":
      return <DrillDialog node={dialog.node} />;
    case "stopLocal":
      return <StopLocalDialog node={dialog.node} processName={dialog.processName} />;
    case "housekeeping":
      return <HousekeepingDialog change={dialog.change} />;
    case "replication":
      return <ReplicationDialog cluster={props.cluster} />;
    case "addNode":
      return <AddNodeDialog {...props} />;
    case "whatIf":
      return <WhatIfDialog cluster={props.cluster} startWith={dialog} />;
    case "chunk":
      return <ChunkDialog />;
  }
}
