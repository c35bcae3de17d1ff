import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { after } from "../lib/time.ts";
import { IconButton } from "./button.tsx";
import { closeToast, undo, useToasts, type Toast } from "./toast-store.ts";
import styles from "./toasts.module.css";

const showMs = 6000;

/** The messages at the bottom left. */
export function Toasts(): ReactNode {
  const toasts = useToasts((state) => state.toasts);
  return (
    <div className={styles["stack"]}>
      {toasts.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastCard({ toast }: { readonly toast: Toast }): ReactNode {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => (isHeld || toast.isError ? undefined : after(showMs, () => closeToast(toast.id))), [isHeld, toast]);
  const Mark = toast.isError ? CircleAlert : CircleCheck;
  return (
    <div
      className={`${styles["toast"]} ${toast.isError ? styles["error"] : ""}`}
      role={toast.isError ? "alert" : "status"}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Mark size={18} className={styles["mark"]} aria-hidden />
      <div className={styles["words"]}>
        {toast.text}
        {toast.detail !== "" && <p>{toast.detail}</p>}
      </div>
      {toast.undo !== undefined && (
        <button type="button" className={styles["undo"]} onClick={() => void undo(toast.id)}>
          Undo
        </button>
      )}
      <IconButton label="Close" onClick={() => closeToast(toast.id)}>
        <X size={16} />
      </IconButton>
    </div>
  );
}
