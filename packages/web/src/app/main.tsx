import "../ui/base.css";
import "../ui/tokens.css";
import { RouterProvider } from "@tanstack/react-router";
import { must } from "@holdfast/base";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { forgetSession } from "../features/auth/session.ts";
import { resetDrive } from "../features/files/drive-store.ts";
import { onSignedOut } from "../lib/rpc.ts";
import { router } from "./router.tsx";

onSignedOut(() => {
  forgetSession();
  resetDrive();
  const { pathname, href } = router.state.location;
  if (pathname === "/signin" || pathname === "/setup") return;
  router
    .navigate({ to: "/signin", search: { next: href, ended: true }, replace: true })
    .catch(() => location.assign("/signin"));
});

createRoot(must(document.getElementById("root"), "the page has a root element")).render(
  <StrictMode>
    <RouterProvider router={router} />
  </StrictMode>,
);
