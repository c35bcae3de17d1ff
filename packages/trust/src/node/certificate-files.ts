import { open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import type { TlsCredentials } from "@holdfast/rpc/node";
import { pemBlock } from "../pem.ts";

const fileName = "certificate.pem";

/**
 * What a node keeps in each of its data directories (docs/formats/node-files.md): its certificate, its key, and the
 * authority's certificate. Undefined when none of the directories has a whole one.
 */
export async function readCertificateFiles(directories: readonly string[]): Promise<TlsCredentials | undefined> {
  for (const directory of directories) {
    const text = await readFile(path.join(directory, fileName), "utf8").catch((error: NodeJS.ErrnoException) => {
      // A dead disk has no say: another directory has the same file.
      if (error.code === "ENOENT" || directories.length > 1) return "";
      throw error;
    });
    const certificate = pemBlock(text, "CERTIFICATE");
    const privateKey = pemBlock(text, "PRIVATE KEY");
    const authority = pemBlock(text.slice(certificate?.length ?? 0), "CERTIFICATE");
    if (certificate !== undefined && privateKey !== undefined && authority !== undefined)
      return { authority, own: { certificate, privateKey } };
  }
  return undefined;
}

/** Replaces it everywhere, durably, for this user's eyes only. Errors: those of the last disk when none could be written. */
export async function writeCertificateFiles(
  directories: readonly string[],
  { authority, own }: TlsCredentials & { readonly own: NonNullable<TlsCredentials["own"]> },
): Promise<void> {
  const text = own.certificate + own.privateKey + authority;
  const failures: unknown[] = [];
  for (const directory of directories) {
    try {
      await writeSecretly(path.join(directory, fileName), text);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === directories.length) throw failures[0];
}

/** After a crash the file holds either the old or the new content. */
export async function writeSecretly(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    // The mode above counts only for a file that was not there.
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(path.dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
