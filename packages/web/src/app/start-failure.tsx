import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { explainFailure } from "../lib/failure.ts";
import { Button } from "../ui/button.tsx";
import { Logo } from "../ui/logo.tsx";
import styles from "./start-failure.module.css";

/** The page could not even find out who is signed in. */
export function StartFailure({ error }: { readonly error: unknown }): ReactNode {
  const router = useRouter();
  const failure = explainFailure(error);
  return (
    <main className={styles["page"]} role="alert">
      <Logo size={36} />
      <h1>{failure.title}</h1>
      <p>{failure.advice}</p>
      <Button look="primary" onClick={() => void router.invalidate()}>
        Try again
      </Button>
    </main>
  );
}
