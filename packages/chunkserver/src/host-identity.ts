import type { HostIdentity } from "./ports.ts";

/** What is used of one address of an interface. */
export interface InterfaceAddress {
  readonly address: string;
  readonly mac: string;
  readonly family: string;
  /** Loopback. */
  readonly internal: boolean;
}

/** Interfaces as the operating system tells them, by name. */
export type NetworkInterfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

/**
 * Address and MAC for people: of the interface the node serves on; when that is a wildcard or loopback, of the first
 * outer interface (IPv4 first), and of loopback only on a machine without any other.
 */
export function hostIdentityFrom(interfaces: NetworkInterfaces, listenHost: string): HostIdentity {
  const all = Object.values(interfaces).flatMap((infos) => infos ?? []);
  const served = all.find(({ address, internal }) => address === listenHost && !internal);
  const outer = all.filter(({ internal }) => !internal);
  const chosen = served ?? outer.find(({ family }) => family === "IPv4") ?? outer[0] ?? all[0];
  return { ip: chosen?.address ?? listenHost, mac: chosen?.mac ?? "" };
}
