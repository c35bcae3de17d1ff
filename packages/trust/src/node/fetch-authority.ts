import { connect, type DetailedPeerCertificate } from "node:tls";
import { HoldfastError } from "@holdfast/base";
import { fingerprintOf } from "../fingerprint.ts";
import { pemOf } from "../pem.ts";

const timeoutMs = 5_000;
/** Certificates of a chain looked through: ours have two. */
const chainMax = 4;

/**
 * The certificate of a cluster's authority, from the first master that shows one with this fingerprint; nothing else that
 * is shown is believed. Errors: `denied` (they show others: another cluster, or somebody in between), `unavailable`.
 */
export async function fetchAuthority(masterAddresses: readonly string[], fingerprint: string): Promise<string> {
  let isOther = false;
  for (const address of masterAddresses) {
    const chain = await chainOf(address);
    const found = chain.find((pem) => fingerprintOf(pem) === fingerprint);
    if (found !== undefined) return found;
    isOther ||= chain.length > 0;
  }
  const masters = masterAddresses.join(", ");
  if (!isOther)
    throw new HoldfastError("unavailable", `No master could be reached at ${masters}. Nothing was changed; try again.`);
  throw new HoldfastError(
    "denied",
    `What answers at ${masters} is not the cluster of the join token: its authority is another one. Nothing was sent to it. ` +
      "Make a new join token, and look at who is between this machine and the masters.",
  );
}

/** The certificates that are shown there, in PEM; none when nothing answers. */
function chainOf(address: string): Promise<readonly string[]> {
  const split = address.lastIndexOf(":");
  const host = address.slice(0, split).replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    // Nothing is believed here but a certificate with the right fingerprint.
    const socket = connect({
      host,
      port: Number(address.slice(split + 1)),
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    const end = (chain: readonly string[]): void => {
      socket.destroy();
      resolve(chain);
    };
    socket.setTimeout(timeoutMs, () => end([]));
    socket.on("error", () => end([]));
    socket.on("secureConnect", () => end(readChain(socket.getPeerCertificate(true))));
  });
}

function readChain(leaf: DetailedPeerCertificate): readonly string[] {
  const chain: string[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  while (next?.raw !== undefined && chain.length < chainMax) {
    chain.push(pemOf("CERTIFICATE", new Uint8Array(next.raw)));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
