import type { PeerIdentity } from "@holdfast/rpc";
import type { NetworkSecurity, TlsCredentials } from "@holdfast/rpc/node";

/** What one process shows and believes in its cluster; filled in when it is known, and changed while it runs. */
export class ClusterTrust implements NetworkSecurity {
  readonly clusterId: string;
  readonly #listeners: (() => void)[] = [];
  #credentials: TlsCredentials | undefined;
  #refusals: ReadonlyMap<string, string> = new Map();

  constructor(clusterId: string, credentials?: TlsCredentials) {
    this.clusterId = clusterId;
    this.#credentials = credentials;
  }

  current(): TlsCredentials | undefined {
    return this.#credentials;
  }

  onChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  refusalOf({ role, id }: PeerIdentity): string | undefined {
    return role === "node" ? this.#refusals.get(id) : undefined;
  }

  /** From now on, for new connections. */
  use(credentials: TlsCredentials): void {
    this.#credentials = credentials;
    for (const listener of this.#listeners) listener();
  }

  /** Nodes whose certificates count no longer, by uuid, with the reason in words; all of them. */
  refuse(reasons: ReadonlyMap<string, string>): void {
    this.#refusals = reasons;
  }
}
