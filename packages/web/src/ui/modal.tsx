import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode, RefObject } from "react";
import styles from "./overlay.module.css";

interface ModalProps {
  readonly title: string;
  readonly text?: string;
  readonly isWide?: boolean;
  readonly onClose: () => void;
  readonly initialFocus?: RefObject<HTMLElement | null>;
  /** Where the keyboard goes afterwards, when what was focused before is gone. */
  readonly returnTo?: HTMLElement | undefined;
  readonly footer: ReactNode;
  readonly children?: ReactNode;
}

/** A dialog: title, one sentence, body, buttons. Esc and a click outside close it. */
export function Modal({ title, text, isWide = false, onClose, footer, children, ...focus }: ModalProps): ReactNode {
  const { initialFocus, returnTo } = focus;
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles["backdrop"] ?? ""} />
        <Dialog.Popup
          className={`${styles["dialog"]} ${isWide ? styles["wide"] : ""}`}
          {...(initialFocus === undefined ? {} : { initialFocus })}
          {...(returnTo === undefined ? {} : { finalFocus: () => returnTo })}
        >
          <Dialog.Title className={styles["title"] ?? ""}>{title}</Dialog.Title>
          {text !== undefined && <Dialog.Description className={styles["text"] ?? ""}>{text}</Dialog.Description>}
          {children !== undefined && <div className={styles["body"]}>{children}</div>}
          <div className={styles["footer"]}>{footer}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
