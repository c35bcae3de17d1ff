import { create } from "zustand";

/** What the frame of the page shows around every view. */
export interface Chrome {
  readonly email: string;
  readonly isDrawerOpen: boolean;
  /** Whether changes arrive as they happen; "lost" is shown. */
  readonly connection: "connecting" | "live" | "lost";
  readonly onSignOut: () => void;
}

/** The frame's state; the app fills it, the header reads it. */
export const useChrome = create<Chrome>(() => ({
  email: "",
  isDrawerOpen: false,
  connection: "connecting",
  onSignOut: () => undefined,
}));

/** Opens or closes the sidebar on narrow screens. */
export function setDrawerOpen(isDrawerOpen: boolean): void {
  useChrome.setState({ isDrawerOpen });
}
