import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must } from "@holdfast/base";
import { openRawLog, type RawLog } from "./raft-raw-log.ts";

/** What a log's record adds to its entry: header, entry's own fields, padding. */
const recordExtraBytes = 80;
const warmUpCount = 200;
const measuredCount = 1_000;

/** Medians in ms of what one committed entry needs at least, one after the other, without any of our code. */
export interface RawLimits {
  /** Appending a record to a growing file and making it durable, in the one system call that the log uses. */
  readonly syncMs: number;
  /** The same as a write and an fdatasync. */
  readonly twoCallSyncMs: number;
  /** As many bytes as an entry has to another process over TCP and back. */
  readonly roundTripMs: number;
  /** Replication without Raft: written here and sent to two processes that write it too; over when two of three have it. */
  readonly replicationMs: number;
}

/** Measures on the disk of the temporary folder, where the benchmark's members have their logs too. */
export async function measureRawLimits(entryBytes: number): Promise<RawLimits> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-raw-"));
  const recordBytes = entryBytes + recordExtraBytes;
  const peers = await Promise.all([1, 2].map((id) => RawPeer.start(join(folder, `peer-${id}`), recordBytes)));
  try {
    const log = openRawLog(join(folder, "log"), recordBytes);
    const twoCallLog = openRawLog(join(folder, "two-calls"), recordBytes, "twoCalls");
    return {
      syncMs: await median(() => appended(log)),
      twoCallSyncMs: await median(() => appended(twoCallLog)),
      roundTripMs: await median(() => must(peers[0], "there are two peers").ask("echo", entryBytes)),
      replicationMs: await median(() => replicate(log, peers, recordBytes)),
    };
  } finally {
    for (const peer of peers) peer.stop();
    await rm(folder, { recursive: true });
  }
}

function appended(log: RawLog): Promise<void> {
  return new Promise((resolve) => log.append(resolve));
}

/** As in Raft the third one is not waited for, so that it may still be writing when the next entry comes. */
async function replicate(log: RawLog, peers: readonly RawPeer[], recordBytes: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let count = 0;
    const arrived = (): void => {
      if (++count === 2) resolve();
    };
    for (const peer of peers) void peer.ask("append", recordBytes).then(arrived);
    log.append(arrived);
  });
}

/** A process that echoes, or appends to a log of its own and answers. */
class RawPeer {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #waiting: { bytes: number; readonly resolve: () => void }[] = [];

  private constructor(child: ChildProcess, socket: Socket) {
    this.#child = child;
    this.#socket = socket;
    socket.on("data", (part) => this.#take(part.length));
  }

  static async start(path: string, recordBytes: number): Promise<RawPeer> {
    const script = fileURLToPath(new URL("raft-raw-peer.ts", import.meta.url));
    const child = fork(script, [path, String(recordBytes)]);
    const [port] = (await once(child, "message")) as [number];
    const socket = connect(port, "127.0.0.1").setNoDelay(true);
    await once(socket, "connect");
    return new RawPeer(child, socket);
  }

  /** Sends `bytes` and waits for the answer: as many for an echo, else one byte. */
  ask(what: "echo" | "append", bytes: number): Promise<void> {
    const request = Buffer.alloc(bytes);
    request[0] = what === "echo" ? 0 : 1;
    return new Promise((resolve) => {
      this.#waiting.push({ bytes: what === "echo" ? bytes : 1, resolve });
      this.#socket.write(request);
    });
  }

  stop(): void {
    this.#socket.destroy();
    this.#child.kill();
  }

  #take(lengthBytes: number): void {
    for (let left = lengthBytes; left > 0;) {
      const first = must(this.#waiting[0], "an answer was asked for");
      const count = Math.min(left, first.bytes);
      left -= count;
      first.bytes -= count;
      if (first.bytes === 0) this.#waiting.shift()?.resolve();
    }
  }
}

async function median(step: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < warmUpCount + measuredCount; count++) {
    const startedMs = performance.now();
    await step();
    if (count >= warmUpCount) times.push(performance.now() - startedMs);
  }
  return times.toSorted((left, right) => left - right)[times.length >> 1] ?? 0;
}
