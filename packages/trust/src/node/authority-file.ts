import { readFile } from "node:fs/promises";
import { createAuthority } from "../authority.ts";
import { writeSecretly } from "./certificate-files.ts";

/**
 * The text of a cluster's authority, from its file or made anew: certificate and key, for this user's eyes only. Whoever
 * has the file can be anybody in the cluster. Errors: those of the file system.
 */
export async function keepAuthorityFile(
  file: string,
  { clusterId, nowMs }: { readonly clusterId: string; readonly nowMs: number },
): Promise<string> {
  const known = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known !== undefined) return known;
  const made = createAuthority(clusterId, nowMs);
  await writeSecretly(file, made);
  return made;
}
