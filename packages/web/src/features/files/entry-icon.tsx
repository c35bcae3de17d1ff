import { File, FileArchive, FileCode, FileSpreadsheet, FileText, Film, Folder, Image, Music } from "lucide-react";
import type { ReactNode } from "react";
import { extensionOf } from "../../lib/format.ts";
import type { DriveEntry } from "./model/entry.ts";

const kinds: readonly (readonly [typeof File, string, readonly string[]])[] = [
  [Image, "Picture", ["jpg", "jpeg", "png", "gif", "webp", "avif", "heic", "svg", "tif", "tiff", "bmp", "raw"]],
  [Film, "Video", ["mp4", "mov", "mkv", "webm", "avi", "m4v"]],
  [Music, "Audio", ["mp3", "flac", "wav", "ogg", "m4a", "aac", "opus"]],
  [FileArchive, "Archive", ["zip", "gz", "tar", "tgz", "xz", "zst", "7z", "rar", "bz2"]],
  [FileSpreadsheet, "Spreadsheet", ["xlsx", "xls", "csv", "ods", "tsv"]],
  [
    FileCode,
    "Code",
    [
      "ts",
      "tsx",
      "js",
      "mjs",
      "jsx",
      "json",
      "html",
      "css",
      "py",
      "go",
      "rs",
      "c",
      "h",
      "cpp",
      "java",
      "sh",
      "yaml",
      "yml",
      "toml",
      "proto",
      "sql",
    ],
  ],
  [FileText, "Document", ["pdf", "txt", "md", "doc", "docx", "odt", "rtf", "log", "tex", "epub"]],
];

/** What a file is, in a word. */
export function kindName(entry: DriveEntry): string {
  if (entry.kind === "folder") return "Folder";
  const extension = extensionOf(entry.name);
  const known = kinds.find(([, , extensions]) => extensions.includes(extension))?.[1] ?? "File";
  return extension === "" ? known : `${known} · ${extension.toUpperCase()}`;
}

/** The icon of an entry; decorative, the name says it. */
export function EntryIcon({ entry, size = 18 }: { readonly entry: DriveEntry; readonly size?: number }): ReactNode {
  if (entry.kind === "folder")
    return <Folder size={size} color="var(--accent)" fill="var(--accent-soft)" strokeWidth={1.75} aria-hidden />;
  const extension = extensionOf(entry.name);
  const Icon = kinds.find(([, , extensions]) => extensions.includes(extension))?.[0] ?? File;
  return <Icon size={size} color="var(--muted)" strokeWidth={1.75} aria-hidden />;
}
