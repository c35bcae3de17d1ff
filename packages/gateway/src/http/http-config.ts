/** What the HTTP side of a gateway is told. */
export interface HttpConfig {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Whether people reach it over TLS (its own or a proxy's): decides the cookie's name and the expected origin. */
  readonly isSecure: boolean;
  /** Certificate and key in PEM, when the gateway ends TLS itself. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** The built page. */
  readonly webDirectory: string;
  /** Silence on a connection after which it is cut. */
  readonly idleTimeoutMs: number;
  /** How long the head of a request may take. */
  readonly headersTimeoutMs: number;
  readonly headerBytesMax: number;
  /** Of a message to a Connect service. */
  readonly messageBytesMax: number;
  readonly connectionsMax: number;
  /** How long requests in progress may go on when the gateway stops. */
  readonly stopGraceMs: number;
}

/** The defaults of everything that need not be said. */
export const defaultHttpConfig = {
  host: "127.0.0.1",
  port: 8080,
  isSecure: false,
  tls: undefined,
  idleTimeoutMs: 60_000,
  headersTimeoutMs: 15_000,
  headerBytesMax: 16_384,
  messageBytesMax: 1024 * 1024,
  connectionsMax: 2000,
  stopGraceMs: 3000,
} as const satisfies Omit<HttpConfig, "webDirectory">;
