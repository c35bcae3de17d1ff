import { useContext, type ReactNode } from "react";
import { explainFailure } from "../../lib/failure.ts";
import { formatDuration } from "../../lib/format.ts";
import { randomHex } from "../../lib/random.ts";
import { nowMs } from "../../lib/time.ts";
import { Button } from "../../ui/button.tsx";
import { showToast } from "../../ui/toast-store.ts";
import { admin } from "./admin-client.ts";
import type { JoinTokenState } from "./model/fleet.ts";
import { NodeNames } from "./node-names.ts";
import styles from "./nodes-section.module.css";

/** Tokens with which machines may join, or have joined today. */
export function JoinTokens({ tokens }: { readonly tokens: readonly JoinTokenState[] }): ReactNode {
  const nameOf = useContext(NodeNames);
  if (tokens.length === 0) return null;
  return (
    <section aria-labelledby="join-tokens">
      <h2 id="join-tokens">Join commands</h2>
      <ul className={styles["stopped"]}>
        {tokens.map((token) => (
          <li key={token.joinTokenId}>
            <span>
              {token.label === "" ? `No. ${token.joinTokenId}` : token.label}{" "}
              <span className={styles["muted"]}>
                {token.usedByNodeId > 0
                  ? `used by ${nameOf(token.usedByNodeId)}`
                  : `unused, valid for ${formatDuration(Math.max(0, token.expiresAtMs - nowMs()))}`}
              </span>
            </span>
            {token.usedByNodeId === 0 && (
              <Button
                aria-label={`Revoke ${token.label === "" ? `no. ${token.joinTokenId}` : token.label}`}
                onClick={() => void revoke(token.joinTokenId)}
              >
                Revoke
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

async function revoke(joinTokenId: number): Promise<void> {
  try {
    const command = { command: { case: "revokeJoinToken" as const, value: { joinTokenId, isAll: false } } };
    await admin.changeFleet({ requestId: randomHex(), command });
    showToast("The join command no longer works");
  } catch (thrown) {
    const failure = explainFailure(thrown);
    showToast(failure.title, { detail: failure.advice, isError: true });
  }
}
