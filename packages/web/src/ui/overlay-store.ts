import type { ComponentType } from "react";
import { create } from "zustand";

/** A line of a menu. */
export interface MenuItem {
  readonly label: string;
  readonly icon?: ComponentType<{ readonly size?: number }>;
  readonly shortcut?: string;
  readonly isDangerous?: boolean;
  /** Draws a line above. */
  readonly startsGroup?: boolean;
  readonly onSelect: () => void;
}

/** An open menu. */
export interface OpenMenu {
  /** Read aloud. */
  readonly label: string;
  /** The element it hangs on, or a point of the window. */
  readonly anchor: Element | { readonly x: number; readonly y: number };
  readonly items: readonly MenuItem[];
  readonly align?: "start" | "end";
  /** Where the keyboard goes afterwards; by default the anchor. */
  readonly returnTo?: HTMLElement;
}

/** An open dialog; each kind is drawn by the lazily loaded overlay chunk. */
export type OpenDialog =
  | { readonly kind: "newFolder"; readonly parentId: number }
  | { readonly kind: "move"; readonly ids: readonly number[]; readonly fromId: number }
  | {
      readonly kind: "confirm";
      readonly title: string;
      readonly text: string;
      readonly verb: string;
      readonly onConfirm: () => void;
    }
  | { readonly kind: "shortcuts" };

interface OverlayState {
  readonly menu: OpenMenu | undefined;
  readonly dialog: OpenDialog | undefined;
}

/** What lies over the page. The code that draws it loads after the first view. */
export const useOverlays = create<OverlayState>(() => ({ menu: undefined, dialog: undefined }));

/** Opens a menu. */
export function openMenu(menu: OpenMenu): void {
  useOverlays.setState({ menu });
}

/** Opens a dialog. */
export function openDialog(dialog: OpenDialog): void {
  useOverlays.setState({ dialog });
}

/** Closes the menu. */
export function closeMenu(): void {
  useOverlays.setState({ menu: undefined });
}

/** Closes the dialog. */
export function closeDialog(): void {
  useOverlays.setState({ dialog: undefined });
}
