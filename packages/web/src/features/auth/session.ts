import { safeInteger } from "@holdfast/base";
import type { Account } from "@holdfast/proto/drive/v1/drive";
import { create } from "zustand";
import { sessions } from "../../lib/rpc.ts";

/** Who is signed in, as far as the page knows. */
export interface SignedIn {
  readonly email: string;
  readonly isAdmin: boolean;
  readonly rootId: number;
  readonly partSizeBytes: number;
  readonly version: string;
}

interface SessionState {
  readonly signedIn: SignedIn | undefined;
}

/** The session; `undefined` means nobody, or not asked yet. */
export const useSession = create<SessionState>(() => ({ signedIn: undefined }));

/** Asks the server who is signed in and remembers the answer. Errors: unauthenticated, unavailable. */
export async function loadSession(): Promise<SignedIn> {
  const known = useSession.getState().signedIn;
  if (known !== undefined) return known;
  const answer = await sessions.whoAmI({});
  const signedIn = fromAccount(answer.account, { partSizeBytes: answer.partSizeBytes, version: answer.version });
  useSession.setState({ signedIn });
  return signedIn;
}

/** Forgets who was signed in, without telling the server. */
export function forgetSession(): void {
  useSession.setState({ signedIn: undefined });
}

/** Ends the session on the server and here. */
export async function signOut(): Promise<void> {
  await sessions.signOut({});
  forgetSession();
}

function fromAccount(
  account: Account | undefined,
  server: { readonly partSizeBytes: number; readonly version: string },
): SignedIn {
  return {
    email: account?.email ?? "",
    isAdmin: account?.isAdmin ?? false,
    rootId: safeInteger(account?.rootEntryId ?? 0n),
    partSizeBytes: server.partSizeBytes === 0 ? 8_388_608 : server.partSizeBytes,
    version: server.version,
  };
}
