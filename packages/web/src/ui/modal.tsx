import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode, RefObject } from "react";
import styles from "./overlay.module.css";

interface ModalProps {
  readonly title: string;
  readonly text?: string;
  readonly isWide?: boolean;
  readonly onClose: () => void;
  readonly initialFocus?: RefObject<HTMLElement | null>;
  readonly footer: ReactNode;
  readonly children?: ReactNode;
}

/** A dialog: title, one sentence, body, buttons. Esc and a click outside close it. */
export function Modal({ title, text, isWide = false, onClose, initialFocus, footer, children }: ModalProps): ReactNode {
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles["backdrop"] ?? ""} />
        <Dialog.Popup
          className={`${styles["dialog"]} ${isWide ? styles["wide"] : ""}`}
          {...(initialFocus === undefined ? {} : { initialFocus })}
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
