import { createServer } from "node:net";
import { HoldfastError } from "@holdfast/base";

/** Whether a TCP port can be listened on now; `code` is the system's reason when not. */
async function probePort(port: number, host: string): Promise<{ readonly port: number } | { readonly code: string }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? "unknown" }));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = address !== null && typeof address === "object" ? address.port : port;
      server.close(() => resolve({ port: bound }));
    });
  });
}

/** Errors: `precondition` in words a newcomer can act on when the public port cannot be had. */
export async function requirePort(port: number, host: string): Promise<void> {
  const probe = await probePort(port, host);
  if ("port" in probe) return;
  const reason =
    probe.code === "EADDRINUSE"
      ? "another program is listening on it"
      : probe.code === "EACCES"
        ? "this user may not listen on it"
        : probe.code === "EADDRNOTAVAIL"
          ? `${host} is not an address of this machine`
          : probe.code;
  throw new HoldfastError(
    "precondition",
    `Port ${port} on ${host} cannot be used: ${reason}. Nothing was started. Choose another with --port.`,
  );
}

/** Errors: `precondition` in words when it is not an address of this machine. */
export async function requireOwnAddress(host: string): Promise<void> {
  const probe = await probePort(0, host);
  if ("port" in probe) return;
  throw new HoldfastError(
    "precondition",
    `${host} cannot be listened on (${probe.code}). Nothing was started. Say with --advertise-host at which address of this machine others reach it.`,
  );
}

/** A port that is free on all of them. */
async function probeOnAll(port: number, hosts: readonly string[]): ReturnType<typeof probePort> {
  const [first = "127.0.0.1", ...others] = hosts;
  const found = await probePort(port, first);
  for (const host of others) {
    if (!("port" in found)) return found;
    const other = await probePort(found.port, host);
    if (!("port" in other)) return other;
  }
  return found;
}

/**
 * Ports for the processes inside: those of the last run where they are still free, `basePort` upwards when given, else
 * any free ones. Never returns one twice.
 */
export async function choosePorts(
  names: readonly string[],
  options: {
    readonly previous: Readonly<Record<string, number>>;
    readonly basePort: number | undefined;
    /** Given to other processes, whether these run at present or not. */
    readonly taken?: readonly number[];
    /** Addresses on which they have to be free. Default loopback. */
    readonly hosts?: readonly string[];
  },
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  const taken = new Set<number>(options.taken);
  let next = options.basePort ?? 0;
  for (const name of names) {
    const candidates = options.basePort === undefined ? [options.previous[name] ?? 0, 0, 0, 0] : [];
    if (options.basePort !== undefined) for (let step = 0; step < 300; step++) candidates.push(next + step);
    for (const candidate of candidates) {
      if (candidate !== 0 && taken.has(candidate)) continue;
      const probe = await probeOnAll(candidate, options.hosts ?? ["127.0.0.1"]);
      if (!("port" in probe) || taken.has(probe.port)) continue;
      chosen[name] = probe.port;
      taken.add(probe.port);
      next = probe.port + 1;
      break;
    }
    if (chosen[name] === undefined) {
      throw new HoldfastError("precondition", `No free port was found for ${name}. Nothing was started.`);
    }
  }
  return chosen;
}
