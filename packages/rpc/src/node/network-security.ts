import type { PeerIdentity } from "../peer-identity.ts";

/** What a process shows and whom it believes, in PEM. */
export interface TlsCredentials {
  /** The certificate of the cluster's authority: nobody else's certificates are believed. */
  readonly authority: string;
  /** Absent while this process has none yet: then it may only ask for one. */
  readonly own?: { readonly certificate: string; readonly privateKey: string };
}

/** How a network proves who it is and decides whom it believes. */
export interface NetworkSecurity {
  /** Certificates for other clusters are refused. */
  readonly clusterId: string;
  /** What holds at this moment; undefined before anything is known. New connections use what is here then. */
  current(): TlsCredentials | undefined;
  /** Calls back after each change. */
  onChanged(listener: () => void): void;
  /** Why a peer is refused although its certificate is good, in words; undefined = it is not. */
  refusalOf(peer: PeerIdentity): string | undefined;
}

/** Whether an address (host:port) can only be reached from this machine. */
export function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
