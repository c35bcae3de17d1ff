import { Menu } from "@base-ui/react/menu";
import { Fragment, useRef, type ReactNode } from "react";
import { closeMenu, useOverlays, type OpenMenu } from "./overlay-store.ts";
import styles from "./overlay.module.css";

/** Draws the one menu that may be open. */
export function MenuHost(): ReactNode {
  const open = useOverlays((state) => state.menu);
  const last = useRef<OpenMenu | undefined>(undefined);
  if (open !== undefined) last.current = open;
  const menu = last.current;
  if (menu === undefined) return null;
  const returnTo = menu.returnTo ?? (menu.anchor instanceof HTMLElement ? menu.anchor : undefined);
  return (
    <Menu.Root open={open !== undefined} onOpenChange={(isOpen) => !isOpen && closeMenu()}>
      <Menu.Portal>
        <Menu.Positioner
          className={styles["positioner"] ?? ""}
          anchor={anchorOf(menu)}
          align={menu.align ?? "start"}
          sideOffset={4}
          collisionPadding={8}
        >
          <Menu.Popup
            className={styles["menu"] ?? ""}
            aria-label={menu.label}
            finalFocus={() => (isDialogOpen() ? false : (returnTo ?? true))}
          >
            {menu.items.map((item) => (
              <Fragment key={item.label}>
                {item.startsGroup === true && <Menu.Separator className={styles["separator"] ?? ""} />}
                <Menu.Item
                  className={`${styles["item"]} ${item.isDangerous === true ? styles["dangerous"] : ""}`}
                  onClick={() => item.onSelect()}
                >
                  {item.icon !== undefined && <item.icon size={16} />}
                  <span className={styles["itemLabel"]}>{item.label}</span>
                  {item.shortcut !== undefined && <span className={styles["shortcut"]}>{item.shortcut}</span>}
                </Menu.Item>
              </Fragment>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

/** A dialog that was opened from the menu keeps the focus. */
function isDialogOpen(): boolean {
  return useOverlays.getState().dialog !== undefined || document.querySelector("[role=dialog]") !== null;
}

function anchorOf(menu: OpenMenu): Element | { getBoundingClientRect(): DOMRect } {
  const { anchor } = menu;
  return anchor instanceof Element ? anchor : { getBoundingClientRect: () => new DOMRect(anchor.x, anchor.y, 0, 0) };
}
