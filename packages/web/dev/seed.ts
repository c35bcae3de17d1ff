import type { MemoryState } from "./memory-state.ts";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";

/** The account of tests and demonstrations. */
export const seedAccount = { email: "mara@example.org", password: "correct horse battery" } as const;

const folders = ["Contracts", "Design", "Holidays 2026", "Invoices", "Music", "Recipes"];
const files: readonly (readonly [string, number])[] = [
  ["Annual report 2025.pdf", 2_411_724],
  ["budget.xlsx", 48_213],
  ["cover letter.docx", 22_871],
  ["Grüße an Omi 👵.txt", 412],
  ["harbour at dawn.jpg", 5_210_334],
  ["IMG_2231.jpg", 8_120_331],
  ["IMG_2232.jpg", 7_998_120],
  ["interview take 10.mp4", 1_204_000_331],
  ["interview take 2.mp4", 984_000_120],
  ["notes.md", 12_040],
  ["project-backup.tar.gz", 412_331_120],
  ["song idea.flac", 31_204_120],
  ["todo.txt", 0],
  [".editorconfig", 211],
  ["server.ts", 9_120],
];

/** Fills a memory gateway with what a person might have. */
export function seed(state: MemoryState): void {
  state.accounts.set(seedAccount.email, { password: seedAccount.password, isAdmin: true });
  state.accounts.set("guest@example.org", { password: seedAccount.password, isAdmin: false });
  const { drive } = state;
  for (const name of folders) drive.createFolder(1n, name, true);
  for (const [name, sizeBytes] of files)
    drive.createFile(1n, name, { bytes: new Uint8Array(0), sizeBytes, conflict: ConflictPolicy.FAIL });
  let now = 0n;
  for (const entry of drive.entries.values()) {
    now += 5_400_000n;
    if (entry.entryId !== 1n) entry.modifiedAtMs -= now * (entry.entryId % 5n) * (entry.entryId % 3n);
  }
  const design = drive.children(1n).find((entry) => entry.name === "Design");
  const deep = drive.createFolder(design?.entryId ?? 1n, "2026", true);
  const archive = drive.createFolder(deep.entryId, "Photo archive", true);
  drive.seedFiles(
    archive.entryId,
    Array.from({ length: 100_000 }, (_, number) => `photo ${number + 1}.jpg`),
  );
  const old = drive.createFile(1n, "draft v1.md", { bytes: Buffer.from("old"), conflict: ConflictPolicy.FAIL });
  drive.moveToTrash(old.entryId);
}
