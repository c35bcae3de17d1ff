import { mkdtemp, open, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the machine itself takes for what one committed entry needs at least. */
export async function measureRawLimits(
  entryBytes: number,
): Promise<{ readonly syncMs: number; readonly roundTripMs: number }> {
  return { syncMs: await measureSync(entryBytes), roundTripMs: await measureRoundTrip(entryBytes) };
}

async function measureSync(entryBytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-sync-"));
  const file = await open(join(folder, "log"), "w");
  const bytes = Buffer.alloc(entryBytes + 64);
  const times: number[] = [];
  for (let count = 0; count < 500; count++) {
    const startedMs = performance.now();
    await file.write(bytes, 0, bytes.length, count * bytes.length);
    await file.datasync();
    times.push(performance.now() - startedMs);
  }
  await file.close();
  await rm(folder, { recursive: true });
  return median(times);
}

async function measureRoundTrip(entryBytes: number): Promise<number> {
  const server = createServer((socket) => socket.setNoDelay(true).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1").setNoDelay(
    true,
  );
  const bytes = Buffer.alloc(entryBytes);
  const times: number[] = [];
  for (let count = 0; count < 2000; count++) {
    const startedMs = performance.now();
    socket.write(bytes);
    for (let received = 0; received < entryBytes;)
      received += await new Promise<number>((resolve) => socket.once("data", (part) => resolve(part.length)));
    times.push(performance.now() - startedMs);
  }
  socket.destroy();
  server.close();
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;
}
