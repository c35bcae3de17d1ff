import type { ChannelOptions, Server } from "@grpc/grpc-js";
import type { Logger } from "@holdfast/observability";
import { messageBytesMax } from "../binding/byte-call.ts";

/** Metadata key of the request id. */
export const requestIdHeader = "holdfast-request-id";

const windowBytes = 4 * 1024 * 1024;

const common: ChannelOptions = {
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
};

/** Options of every channel. Retries are ours (`createLeaderCaller`), so grpc-js need not keep buffers for its own. */
export const channelOptions: ChannelOptions = {
  ...common,
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc-node.flow_control_window": windowBytes,
};

/** Options of every server. */
export const serverOptions: ChannelOptions = { ...common, "grpc-node.flow_control_window": windowBytes };

interface Http2Server {
  on(event: "session", listener: (session: Http2Session) => void): unknown;
}
interface Http2Session {
  setLocalWindowSize(sizeBytes: number): void;
  settings(settings: { readonly initialWindowSize: number; readonly maxFrameSize: number }): void;
}

/**
 * grpc-js 1.14 raises HTTP/2 windows for clients only; with Node's default of 64 KiB a server receives at a fifth of
 * the speed (measured: 0.2 against 0.8 GB/s). The server's HTTP/2 servers are not public: when they cannot be found,
 * that is logged and everything else still works. `rpc-throughput` in bench/ shows whether it took effect.
 */
export function raiseServerWindows(server: Server, logger: Logger): void {
  const http2Servers: unknown = Reflect.get(server, "http2Servers");
  if (!(http2Servers instanceof Map) || http2Servers.size === 0) {
    logger.warn("rpc.server_windows_not_raised", {});
    return;
  }
  // The keys are Node's HTTP/2 servers (grpc-js 1.14.7, server.ts); the version is pinned.
  for (const http2Server of http2Servers.keys() as IterableIterator<Http2Server>) {
    http2Server.on("session", (session) => {
      session.setLocalWindowSize(4 * windowBytes);
      session.settings({ initialWindowSize: 2 * windowBytes, maxFrameSize: 1024 * 1024 });
    });
  }
}
