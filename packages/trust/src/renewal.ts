import { X509Certificate } from "node:crypto";
import type { Logger } from "@holdfast/observability";
import type { TlsCredentials } from "@holdfast/rpc/node";
import type { Clock, Timers } from "@holdfast/runtime";
import type { ClusterTrust } from "./cluster-trust.ts";

const lookIntervalMs = 3_600_000;
/** What is left of a certificate's life when it is renewed. */
const leftShareMin = 1 / 3;

/** Whether so much of a certificate's life is over that it is time for the next one. */
export function isDueForRenewal(certificate: string, nowMs: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const lifetimeMs = validToDate.getTime() - validFromDate.getTime();
  return validToDate.getTime() - nowMs < lifetimeMs * leftShareMin;
}

/** Looks now and every hour, and gets a new certificate in time; a failure is logged and tried again. Returns how to stop. */
export function keepRenewed(
  trust: ClusterTrust,
  renew: () => Promise<TlsCredentials>,
  { clock, timers, logger }: { readonly clock: Clock; readonly timers: Timers; readonly logger: Logger },
): () => void {
  let isBusy = false;
  const look = async (): Promise<void> => {
    const own = trust.current()?.own;
    if (own === undefined || isBusy || !isDueForRenewal(own.certificate, clock.wallMs())) return;
    isBusy = true;
    try {
      trust.use(await renew());
      logger.info("trust.certificate_renewed", {});
    } catch (error) {
      logger.warn("trust.renewal_failed", { reason: error instanceof Error ? error.message : String(error) });
    } finally {
      isBusy = false;
    }
  };
  void look();
  const timer = timers.every(lookIntervalMs, () => void look());
  return () => timer.cancel();
}
