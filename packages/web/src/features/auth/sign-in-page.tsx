import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactNode } from "react";
import { explainFailure, type Failure } from "../../lib/failure.ts";
import { isOwnPath } from "../../lib/own-path.ts";
import { formText } from "../../lib/form-text.ts";
import { sessions } from "../../lib/rpc.ts";
import { Button } from "../../ui/button.tsx";
import { AuthCard, AuthFailure } from "./auth-card.tsx";
import styles from "./auth.module.css";
import { forgetSession, loadSession } from "./session.ts";

/** `/signin`: e-mail and password; afterwards back to where the visitor wanted to go. */
export function SignInPage(): ReactNode {
  const search: { readonly next?: string; readonly ended?: boolean } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [failure, setFailure] = useState<Failure | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);

  const signIn = async (form: FormData) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await sessions.signIn({
        email: formText(form, "email"),
        password: formText(form, "password"),
        channel: "browser",
        keepSignedIn: formText(form, "keep") === "on",
      });
      forgetSession();
      await loadSession();
      await navigate({ to: isOwnPath(search.next) ? search.next : "/", replace: true });
    } catch (thrown) {
      const told = explainFailure(thrown);
      setFailure(
        told.kind === "unauthenticated"
          ? { ...told, title: "E-mail or password is not right.", advice: "Check both and try again." }
          : told,
      );
      setBusy(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void signIn(new FormData(event.currentTarget));
  };
  const lead =
    search.ended === true
      ? "Your session ended. Sign in again to go on where you were."
      : "Welcome back to your files.";

  return (
    <AuthCard title="Sign in" lead={lead}>
      <form className={styles["form"]} onSubmit={submit}>
        <div className={styles["field"]}>
          <label htmlFor="email">E-mail</label>
          <input id="email" name="email" type="email" autoComplete="username" required autoFocus />
        </div>
        <div className={styles["field"]}>
          <label htmlFor="password">Password</label>
          <input id="password" name="password" type="password" autoComplete="current-password" required />
        </div>
        <label className={styles["check"]}>
          <input type="checkbox" name="keep" />
          Keep me signed in on this device
        </label>
        {failure !== undefined && <AuthFailure failure={failure} />}
        <Button type="submit" look="primary" size="large" disabled={isBusy}>
          {isBusy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
    </AuthCard>
  );
}
