import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import { evaluateConditions } from "./conditional.ts";
import { header, type Exchange } from "./exchange.ts";
import { listPageFiles, type PageFile, type PageFiles } from "./page-files.ts";
import { setPageHeaders } from "./security-headers.ts";

const relistAfterMs = 1000;

/** Serves the built page: its files, and the page itself for every address of the application. */
export class StaticRoute {
  readonly #directory: string;
  readonly #clock: Clock;
  #files: Promise<PageFiles> | undefined;
  #listedAtMs = -Infinity;

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** Errors: notFound, unavailable (the page is not built). */
  async serve(exchange: Exchange): Promise<void> {
    const { request, url } = exchange;
    const files = await this.#list();
    const path = decodedPath(url.pathname);
    const file = files.get(path) ?? pageFor(files, path, header(request, "accept") ?? "");
    if (file === undefined && files.size === 0) {
      throw new HoldfastError(
        "unavailable",
        "The page is not built on this gateway. The rest works; build packages/web.",
      );
    }
    if (file === undefined) throw new HoldfastError("notFound", "There is nothing at this address.");
    await sendFile(exchange, file);
  }

  /** The list, made anew now and then so that a page built later is found. */
  async #list(): Promise<PageFiles> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#files === undefined || nowMs - this.#listedAtMs > relistAfterMs) {
      this.#listedAtMs = nowMs;
      this.#files = listPageFiles(this.#directory);
    }
    return this.#files;
  }
}

/** Addresses of the application have no extension and are asked for as pages; each bundle has its own page. */
function pageFor(files: PageFiles, path: string, accept: string): PageFile | undefined {
  if (/\.[A-Za-z0-9]+$/.test(path) || !/text\/html|\*\/\*/.test(accept || "*/*")) return undefined;
  const isAdmin = path === "/admin" || path.startsWith("/admin/");
  const adminPage = isAdmin ? (files.get("/admin/index.html") ?? files.get("/admin.html")) : undefined;
  return adminPage ?? files.get("/index.html");
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new HoldfastError("notFound", "There is nothing at this address.", { cause });
  }
}

async function sendFile({ request, response }: Exchange, file: PageFile): Promise<void> {
  const accepted = header(request, "accept-encoding") ?? "";
  const compressed = file.encodings.find(({ encoding }) =>
    new RegExp(`\\b${encoding}\\b(?!\\s*;\\s*q=0(?:\\.0*)?\\b)`).test(accepted),
  );
  setPageHeaders(response);
  response.setHeader("Cache-Control", file.isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  // One tag names all encodings of the file, so it is a weak one.
  response.setHeader("ETag", file.encodings.length > 0 ? `W/${file.tag}` : file.tag);
  if (file.encodings.length > 0) response.setHeader("Vary", "Accept-Encoding");
  const conditions = { ifMatch: undefined, ifNoneMatch: header(request, "if-none-match"), ifRange: undefined };
  if (evaluateConditions(conditions, file.tag) === "notModified") {
    response.writeHead(304).end();
    return;
  }
  response.setHeader("Content-Type", file.contentType);
  if (compressed !== undefined) response.setHeader("Content-Encoding", compressed.encoding);
  response.writeHead(200, { "Content-Length": compressed?.sizeBytes ?? file.sizeBytes });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(compressed?.diskPath ?? file.diskPath), response);
}
