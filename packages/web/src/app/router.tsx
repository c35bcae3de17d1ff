import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  useParams,
} from "@tanstack/react-router";
import type { ReactNode } from "react";
import { loadSession, useSession } from "../features/auth/session.ts";
import { DrivePage } from "../features/files/drive-page.tsx";
import { isHoldfastError } from "@holdfast/base";
import { isOwnPath } from "../lib/own-path.ts";
import { StartFailure } from "./start-failure.tsx";
import { Shell } from "./shell.tsx";

const root = createRootRoute({ component: () => <Outlet /> });

/** Everything behind sign-in. Who is not signed in goes to `/signin` and comes back. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  errorComponent: StartFailure,
  beforeLoad: async ({ location }) => {
    try {
      await loadSession();
    } catch (thrown) {
      if (!isHoldfastError(thrown, "unauthenticated")) throw thrown;
      throw redirect({ to: "/signin", search: location.href === "/" ? {} : { next: location.href } });
    }
  },
});

const home = createRoute({ getParentRoute: () => inside, path: "/", component: HomeView });
const folder = createRoute({ getParentRoute: () => inside, path: "/f/$folderId", component: FolderView });
const trash = createRoute({
  getParentRoute: () => inside,
  path: "/trash",
  component: lazyRouteComponent(() => import("../features/files/trash-page.tsx"), "TrashPage"),
});
const admin = createRoute({
  getParentRoute: () => inside,
  path: "/admin",
  component: lazyRouteComponent(() => import("../features/admin/admin-page.tsx"), "AdminPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  validateSearch: (search: Record<string, unknown>): { readonly next?: string; readonly ended?: boolean } => ({
    ...(isOwnPath(search["next"]) ? { next: search["next"] } : {}),
    ...(search["ended"] === true ? { ended: true } : {}),
  }),
  component: lazyRouteComponent(() => import("../features/auth/sign-in-page.tsx"), "SignInPage"),
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("../features/auth/set-up-page.tsx"), "SetUpPage"),
});

/** The page's addresses: by id, so that a rename breaks no link. */
export const router = createRouter({
  routeTree: root.addChildren([inside.addChildren([home, folder, trash, admin]), signIn, setUp]),
  defaultPreload: false,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function HomeView(): ReactNode {
  const rootId = useSession((state) => state.signedIn?.rootId);
  return rootId === undefined ? null : <DrivePage folderId={rootId} rootId={rootId} />;
}

function FolderView(): ReactNode {
  const { folderId } = useParams({ from: "/inside/f/$folderId" });
  const rootId = useSession((state) => state.signedIn?.rootId);
  return rootId === undefined ? null : (
    <DrivePage folderId={/^\d+$/.test(folderId) ? Number(folderId) : 0} rootId={rootId} />
  );
}
