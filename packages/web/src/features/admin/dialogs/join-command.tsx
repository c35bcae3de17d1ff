import { decodeJoinToken, isOnLoopback } from "@holdfast/base";
import { Check, Copy } from "lucide-react";
import { useContext, useState, type ReactNode } from "react";
import { formatDuration } from "../../../lib/format.ts";
import { after, nowMs } from "../../../lib/time.ts";
import { Button } from "../../../ui/button.tsx";
import type { Fleet } from "../model/fleet.ts";
import { NodeNames } from "../node-names.ts";
import styles from "./dialogs.module.css";

const lifetimes = [
  [600_000, "10 minutes"],
  [3_600_000, "1 hour"],
  [86_400_000, "1 day"],
  [604_800_000, "7 days"],
] as const;
const copiedShownMs = 2000;

/** A command that lets one node in, as it was made. */
export interface IssuedToken {
  readonly joinTokenId: number;
  readonly command: string;
  readonly expiresAtMs: number;
}

/** The command to copy, and whether somebody came with it. */
export function JoinCommand({
  issued,
  fleet,
}: {
  readonly issued: IssuedToken;
  readonly fleet: Fleet | undefined;
}): ReactNode {
  const [copied, setCopied] = useState("");
  const nameOf = useContext(NodeNames);
  const token = fleet?.joinTokens.find(({ joinTokenId }) => joinTokenId === issued.joinTokenId);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(issued.command);
      setCopied("Copied");
    } catch {
      // Without TLS browsers keep the clipboard closed; the text is selected as a whole by one click.
      setCopied("Click the text and press Ctrl+C");
    }
    after(copiedShownMs, () => setCopied(""));
  };
  const joinedId = token?.usedByNodeId ?? 0;
  return (
    <>
      <p className={styles["muted"]}>
        Type this on the new machine, in a copy of this repository. It works once, and is not shown again.
      </p>
      <code className={styles["command"]} data-testid="join-command" tabIndex={0}>
        {issued.command}
      </code>
      {staysHere(issued.command) && (
        <p className={styles["muted"]}>
          The masters listen on loopback, so it works on their machine only. For others start the cluster with
          --advertise-host ADDRESS.
        </p>
      )}
      <div className={styles["row"]}>
        <Button onClick={() => void copy()}>
          {copied === "Copied" ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
          Copy the command
        </Button>
        <span className={styles["muted"]} role="status">
          {copied}
        </span>
      </div>
      <p className={styles["waiting"]} role="status">
        {joinedId > 0 ? (
          <span className={styles["ok"]}>● {nameOf(joinedId)} has joined.</span>
        ) : (
          <span>○ Waiting for the node; valid for {formatDuration(Math.max(0, issued.expiresAtMs - nowMs()))}.</span>
        )}
      </p>
    </>
  );
}

function staysHere(command: string): boolean {
  const token = decodeJoinToken(/hfj_\S+/.exec(command)?.[0] ?? "");
  return token.ok && isOnLoopback(token.value);
}

/** How long a command works. */
export function LifetimeField({
  lifetimeMs,
  onChange,
}: {
  readonly lifetimeMs: number;
  readonly onChange: (lifetimeMs: number) => void;
}): ReactNode {
  return (
    <label className={styles["field"]}>
      Works for
      <select className={styles["input"]} value={lifetimeMs} onChange={(event) => onChange(Number(event.target.value))}>
        {lifetimes.map(([durationMs, words]) => (
          <option key={durationMs} value={durationMs}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What went wrong, if anything did. */
export function Problem({ text }: { readonly text: string }): ReactNode {
  return text === "" ? null : (
    <p role="alert" className={styles["problem"]}>
      {text}
    </p>
  );
}
