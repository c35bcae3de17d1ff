import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Failure } from "../../lib/failure.ts";
import { Logo } from "../../ui/logo.tsx";
import styles from "./auth.module.css";

interface AuthCardProps {
  readonly title: string;
  readonly lead: string;
  readonly children: ReactNode;
}

/** The frame of sign-in and set-up. */
export function AuthCard({ title, lead, children }: AuthCardProps): ReactNode {
  return (
    <main className={styles["page"]}>
      <title>{`${title} · Holdfast`}</title>
      <div className={styles["card"]}>
        <div className={styles["brand"]}>
          <Logo size={28} />
          Holdfast
        </div>
        <h1 className={styles["title"]}>{title}</h1>
        <p className={styles["lead"]}>{lead}</p>
        {children}
        <p className={styles["foot"]}>Every file is kept in several copies on different machines.</p>
      </div>
    </main>
  );
}

/** What went wrong, above the button that caused it. */
export function AuthFailure({ failure }: { readonly failure: Failure }): ReactNode {
  return (
    <div className={styles["failure"]} role="alert">
      <CircleAlert size={18} aria-hidden />
      <div>
        {failure.title}
        {failure.advice !== "" && <p>{failure.advice}</p>}
      </div>
    </div>
  );
}
