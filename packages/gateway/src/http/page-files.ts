import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { contentTypeOf } from "./content-type.ts";

/** One file of the built page. */
export interface PageFile {
  readonly diskPath: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly tag: string;
  /** Its name holds a hash of its content: it never changes. */
  readonly isHashed: boolean;
  /** Compressed forms that lie beside it, best first. */
  readonly encodings: readonly {
    readonly encoding: "br" | "gzip";
    readonly diskPath: string;
    readonly sizeBytes: number;
  }[];
}

/** The built page by address path ("/assets/app-1a2b3c4d.js"). Only what is listed can be asked for: there is no path to escape from. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const filesMax = 5000;

/** Lists a built page; empty when the directory is not there (yet). */
export async function listPageFiles(directory: string): Promise<PageFiles> {
  const sizes = new Map<string, { readonly sizeBytes: number; readonly modifiedMs: number }>();
  let names: string[] = [];
  try {
    const found = await readdir(directory, { recursive: true, withFileTypes: true });
    names = found
      .filter((item) => item.isFile())
      .map((item) => join(item.parentPath, item.name).slice(directory.length + 1));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
  }
  for (const name of names.slice(0, filesMax)) {
    const { size, mtimeMs } = await stat(join(directory, name));
    sizes.set(name, { sizeBytes: size, modifiedMs: Math.floor(mtimeMs) });
  }
  const files = new Map<string, PageFile>();
  for (const [name, { sizeBytes, modifiedMs }] of sizes) {
    if (/\.(br|gz)$/.test(name) && sizes.has(name.replace(/\.(br|gz)$/, ""))) continue;
    const encodings = (
      [
        ["br", ".br"],
        ["gzip", ".gz"],
      ] as const
    ).flatMap(([encoding, suffix]) => {
      const compressed = sizes.get(name + suffix);
      return compressed === undefined
        ? []
        : [{ encoding, diskPath: join(directory, name + suffix), sizeBytes: compressed.sizeBytes }];
    });
    files.set(`/${name.replaceAll("\\", "/")}`, {
      diskPath: join(directory, name),
      sizeBytes,
      contentType: contentTypeOf(name),
      tag: `"${sizeBytes.toString(36)}-${modifiedMs.toString(36)}"`,
      isHashed: name.startsWith("assets/"),
      encodings,
    });
  }
  return files;
}
