import { concatBytes, HoldfastError } from "@holdfast/base";
import type { SimProcess } from "@holdfast/runtime/sim";
import {
  sizeOf,
  type ClientByteCall,
  type EncodedMessage,
  type OpenCall,
  type ServerByteCall,
} from "../binding/byte-call.ts";
import { fromWireError, toWireError } from "../errors/wire-error.ts";
import { brokenConnection, createLane, type SimLane, type SimLinks } from "./sim-links.ts";
import { SimPipe, type PipeItem } from "./sim-pipe.ts";

/** Between whom, and what for. */
export interface SimCallParts {
  readonly links: SimLinks;
  readonly client: SimProcess;
  readonly targetMachine: string;
  readonly open: OpenCall;
  readonly openedAtMs: number;
  readonly onOver: (call: SimCall) => void;
}

/** One call between two processes: two lanes, two pipes, and what happens when either side goes. */
export class SimCall {
  readonly client: SimProcess;
  readonly targetMachine: string;
  readonly openedAtMs: number;
  readonly clientEnd: ClientByteCall;
  server: SimProcess | undefined;
  readonly #open: OpenCall;
  readonly #links: SimLinks;
  readonly #upLane: SimLane;
  readonly #downLane: SimLane;
  readonly #upPipe = new SimPipe();
  readonly #downPipe = new SimPipe();
  readonly #onOver: (call: SimCall) => void;
  /** Made when somebody asks for it: most handlers do not. */
  #serverAbort: AbortController | undefined;
  #isServerAborted = false;
  #isClientOver = false;
  #isServerOver = false;
  #release: (() => void)[] = [];

  constructor(parts: SimCallParts) {
    const { client, targetMachine, open } = parts;
    this.client = client;
    this.targetMachine = targetMachine;
    this.openedAtMs = parts.openedAtMs;
    this.#open = open;
    this.#links = parts.links;
    this.#onOver = parts.onOver;
    this.#upLane = createLane(client.machine.name, targetMachine, open.path);
    this.#downLane = createLane(targetMachine, client.machine.name, open.path);
    this.clientEnd = this.#createClientEnd();
    this.#watchCaller();
  }

  /** Whether the caller still wants an answer. */
  get isWanted(): boolean {
    return !this.#isClientOver;
  }

  /** Goes to the server's machine in order with the call's messages, and happens there once that process runs. */
  sendUp(sizeBytes: number, arrive: () => void): void {
    this.#links.send(this.#upLane, sizeBytes, () => {
      if (this.server === undefined) arrive();
      else this.server.enter(arrive);
    });
  }

  /** The server side begins. */
  accept(server: SimProcess): ServerByteCall {
    this.server = server;
    const { timeoutMs } = this.#open;
    if (timeoutMs !== undefined) {
      const timer = server.timers.after(timeoutMs, () =>
        this.#endServer(new HoldfastError("deadline", "the deadline passed")),
      );
      this.#release.push(() => timer.cancel());
    }
    const serverSignal = (): AbortSignal => this.#serverSignal();
    return {
      get signal() {
        return serverSignal();
      },
      requestId: this.#open.requestId,
      peer: `${this.client.machine.name}:0`,
      receive: async () => {
        const item = await this.#upPipe.next();
        if (!server.isAlive) return neverSettled();
        if (item.kind === "gone") throw goneCaller();
        if (item.kind === "error") throw item.error;
        return item.kind === "message" ? item.bytes : undefined;
      },
      send: async (message) => {
        if (this.#isServerOver) throw goneCaller();
        await this.#sendDown(message);
        if (!server.isAlive) return neverSettled();
        if (this.#isServerOver) throw goneCaller();
      },
      end: (error) => this.#end(error),
    };
  }

  /** Nobody serves there. */
  refuse(error: HoldfastError): void {
    this.#end(error);
  }

  /** The server closes: the caller hears `error`, the handler is aborted. */
  endByServer(error: HoldfastError): void {
    this.#endServer(error);
  }

  /** The connection is gone: both sides notice (a dead process notices nothing). */
  breakOff(): void {
    this.client.enter(() => this.#endClient(brokenConnection(this.targetMachine)));
    if (this.server === undefined) this.#endServer(goneCaller());
    else this.server.enter(() => this.#endServer(goneCaller()));
  }

  /** The server's process is gone. */
  loseServer(): void {
    this.#isServerOver = true;
    this.client.enter(() => this.#endClient(brokenConnection(this.targetMachine)));
    this.#settleOver();
  }

  /** The client's process is gone. */
  loseClient(): void {
    this.#isClientOver = true;
    if (this.server === undefined) this.#endServer(goneCaller());
    else this.server.enter(() => this.#endServer(goneCaller()));
    this.#settleOver();
  }

  #createClientEnd(): ClientByteCall {
    return {
      send: async (message) => {
        if (this.#isClientOver) throw overCall();
        await this.#sendUp(message);
        if (!this.client.isAlive) return neverSettled();
        if (this.#isClientOver) throw overCall();
      },
      finish: () => {
        if (!this.#isClientOver) this.sendUp(0, () => this.#upPipe.deliver({ kind: "end" }));
      },
      receive: async () => {
        const item = await this.#downPipe.next();
        if (!this.client.isAlive) return neverSettled();
        if (item.kind === "message") return item.bytes;
        this.#isClientOver = true;
        this.#upPipe.releaseSenders();
        this.#settleOver();
        if (item.kind === "gone") throw goneCaller();
        if (item.kind === "error") throw item.error;
        return undefined;
      },
      cancel: (error) => {
        if (this.#isClientOver) return;
        this.#endClient(error);
        this.sendUp(0, () => this.#endServer(goneCaller()));
      },
    };
  }

  #watchCaller(): void {
    const { signal, timeoutMs } = this.#open;
    if (timeoutMs !== undefined) {
      const sentence = "no answer came in time; the request may or may not have been carried out";
      const timer = this.client.timers.after(timeoutMs, () =>
        this.clientEnd.cancel(new HoldfastError("deadline", sentence)),
      );
      this.#release.push(() => timer.cancel());
    }
    if (signal === undefined) return;
    const onAbort = (): void =>
      this.clientEnd.cancel(new HoldfastError("cancelled", "the caller gave up", { cause: signal.reason }));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    this.#release.push(() => signal.removeEventListener("abort", onAbort));
  }

  async #sendUp(message: EncodedMessage): Promise<void> {
    const bytes = wholeOf(message);
    this.sendUp(sizeOf(message), () => this.#upPipe.deliver({ kind: "message", bytes }));
    await this.#upPipe.reserve(bytes.length);
  }

  async #sendDown(message: EncodedMessage): Promise<void> {
    const bytes = wholeOf(message);
    this.#sendToClient(bytes.length, { kind: "message", bytes });
    await this.#downPipe.reserve(bytes.length);
  }

  #sendToClient(sizeBytes: number, item: PipeItem): void {
    this.#links.send(this.#downLane, sizeBytes, () => this.client.enter(() => this.#downPipe.deliver(item)));
  }

  #end(error: HoldfastError | undefined): void {
    if (this.#isServerOver) return;
    this.#isServerOver = true;
    const last =
      error === undefined
        ? ({ kind: "end" } as const)
        : ({ kind: "error", error: throughTheWire(error, this.#open.requestId) } as const);
    this.#sendToClient(0, last);
    this.#upPipe.close({ kind: "gone" });
    this.#downPipe.releaseSenders();
    this.#settleOver();
  }

  #endClient(error: HoldfastError): void {
    if (this.#isClientOver) return;
    this.#isClientOver = true;
    this.#downPipe.close({ kind: "error", error });
    this.#upPipe.releaseSenders();
    this.#settleOver();
  }

  /** The handler is not wanted any more; a caller that still listens is told why. */
  #endServer(error: HoldfastError): void {
    if (this.#isServerOver && this.#isServerAborted) return;
    this.#end(error);
    if (this.server?.isAlive !== true) return;
    this.#isServerAborted = true;
    this.#serverAbort?.abort(notWanted);
  }

  #serverSignal(): AbortSignal {
    if (this.#serverAbort === undefined) {
      this.#serverAbort = new AbortController();
      if (this.#isServerAborted) this.#serverAbort.abort(notWanted);
    }
    return this.#serverAbort.signal;
  }

  #settleOver(): void {
    if (!this.#isClientOver || !(this.#isServerOver || this.server === undefined)) return;
    for (const release of this.#release.splice(0)) release();
    this.#onOver(this);
  }
}

/**
 * One piece was made by encoding and is nobody else's. Pieces are copied: some are the sender's own bytes, and what it
 * does with them afterwards is its own business.
 */
function wholeOf(message: EncodedMessage): Uint8Array {
  const [only] = message;
  return message.length === 1 && only !== undefined ? only : concatBytes(message);
}

/** Only what the wire carries arrives. */
function throughTheWire(error: HoldfastError, requestId: string): HoldfastError {
  const { status, message, detail } = toWireError(error, requestId);
  return fromWireError(status, message, detail);
}

/** Why handlers are aborted: one for all, because making it costs more than the rest of a call's end. */
const notWanted = new HoldfastError("cancelled", "the answer is not wanted any more");

function goneCaller(): HoldfastError {
  return new HoldfastError("cancelled", "the caller is gone");
}

function overCall(): HoldfastError {
  return new HoldfastError("cancelled", "the call is over");
}

/** For the code of a dead process: it waits for ever, so it never runs again. */
function neverSettled(): Promise<never> {
  return new Promise<never>(() => undefined);
}
