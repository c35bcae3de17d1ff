import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactNode } from "react";
import { explainFailure, type Failure } from "../../lib/failure.ts";
import { formText } from "../../lib/form-text.ts";
import { sessions } from "../../lib/rpc.ts";
import { Button } from "../../ui/button.tsx";
import { AuthCard, AuthFailure } from "./auth-card.tsx";
import styles from "./auth.module.css";
import { forgetSession, loadSession } from "./session.ts";

/** `/setup?token=`: makes the first account, an administrator, with the one-time link. */
export function SetUpPage(): ReactNode {
  // Not the router's search parameters: it would read a token of digits as a number.
  const token = new URLSearchParams(location.search).get("token") ?? "";
  const navigate = useNavigate();
  const [failure, setFailure] = useState<Failure | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);

  const setUp = async (form: FormData) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await sessions.setUp({
        token: token,
        email: formText(form, "email"),
        password: formText(form, "password"),
      });
      forgetSession();
      await loadSession();
      await navigate({ to: "/", replace: true });
    } catch (thrown) {
      setFailure(explainFailure(thrown));
      setBusy(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void setUp(new FormData(event.currentTarget));
  };

  if (token === "") return <MissingToken />;
  return (
    <AuthCard title="Set up Holdfast" lead="This makes the first account. It is an administrator and can add others.">
      <form className={styles["form"]} onSubmit={submit}>
        <div className={styles["field"]}>
          <label htmlFor="email">E-mail</label>
          <input id="email" name="email" type="email" autoComplete="username" required autoFocus />
        </div>
        <div className={styles["field"]}>
          <label htmlFor="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={8}
            required
            aria-describedby="password-hint"
          />
          <p id="password-hint" className={styles["hint"]}>
            At least 8 characters. A few words in a row are easy to remember and hard to guess.
          </p>
        </div>
        {failure !== undefined && <AuthFailure failure={failure} />}
        <Button type="submit" look="primary" size="large" disabled={isBusy}>
          {isBusy ? "Creating the account…" : "Create account"}
        </Button>
      </form>
    </AuthCard>
  );
}

function MissingToken(): ReactNode {
  return (
    <AuthCard title="Set up Holdfast" lead="This page needs the one-time link that Holdfast printed when it started.">
      <p className={styles["lead"]}>
        Nothing was changed. Look for the line with “/setup?token=” in the terminal, or start Holdfast again to get a
        new link.
      </p>
    </AuthCard>
  );
}
