import { Tooltip } from "@base-ui/react/tooltip";
import { useEffect, useState, type ReactNode } from "react";
import { after } from "../lib/time.ts";
import styles from "./overlay.module.css";

const hoverDelayMs = 500;

/** Shows `data-tip` of whatever is hovered or has the keyboard; Esc hides it. */
export function TooltipHost(): ReactNode {
  const [target, setTarget] = useState<Element | undefined>(undefined);
  useEffect(() => watchTips(setTarget), []);
  const text = target?.getAttribute("data-tip") ?? "";
  if (target === undefined || text === "") return null;
  return (
    <Tooltip.Root open onOpenChange={(isOpen) => !isOpen && setTarget(undefined)}>
      <Tooltip.Portal>
        <Tooltip.Positioner
          anchor={target}
          sideOffset={6}
          collisionPadding={8}
          style={{ zIndex: 60, pointerEvents: "none" }}
        >
          <Tooltip.Popup className={styles["tooltip"] ?? ""}>{text}</Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

function watchTips(show: (target: Element | undefined) => void): () => void {
  let cancel = () => undefined as void;
  const tipOf = (event: Event) =>
    event.target instanceof Element ? (event.target.closest("[data-tip]") ?? undefined) : undefined;
  const hide = () => {
    cancel();
    show(undefined);
  };
  let hovered: Element | undefined;
  const onOver = (event: Event) => {
    const target = tipOf(event);
    if (target === hovered) return;
    hovered = target;
    hide();
    if (target !== undefined) cancel = after(hoverDelayMs, () => show(target.isConnected ? target : undefined));
  };
  const onFocus = (event: Event) => {
    const target = tipOf(event);
    if (target?.matches(":focus-visible") === true && event.target === target) show(target);
  };
  const onKey = (event: KeyboardEvent) => event.key === "Escape" && hide();
  const controller = new AbortController();
  const { signal } = controller;
  document.addEventListener("pointerover", onOver, { signal });
  document.addEventListener("pointerdown", hide, { signal, capture: true });
  document.addEventListener("focusin", onFocus, { signal });
  document.addEventListener("focusout", hide, { signal });
  document.addEventListener("keydown", onKey, { signal });
  document.addEventListener("scroll", hide, { signal, capture: true });
  return () => {
    cancel();
    controller.abort();
  };
}
