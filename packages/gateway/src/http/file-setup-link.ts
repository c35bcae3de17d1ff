import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SetupLink } from "../auth/first-accounts.ts";

/** Writes the set-up link to `<runDirectory>/setup-url`, readable by its owner alone; removes it when it is not needed. */
export function createFileSetupLink(runDirectory: string, origin: string): SetupLink {
  const path = join(runDirectory, "setup-url");
  return {
    async publish(token) {
      const draft = `${path}.new`;
      await rm(draft, { force: true });
      await writeFile(draft, `${origin}/setup?token=${token}\n`, { mode: 0o600, flag: "wx" });
      await rename(draft, path);
    },
    async withdraw() {
      await rm(path, { force: true });
    },
  };
}
