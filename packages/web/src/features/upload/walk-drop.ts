/** A piece of what was dropped or chosen. */
export interface WalkChunk {
  /** Parents before their children. */
  readonly folders: readonly string[];
  readonly files: readonly { readonly folderPath: string; readonly file: File }[];
}

const chunkFilesMax = 200;

/** Walks dropped files and folders piece by piece, so that a folder of 50,000 files never freezes the page. Unreadable items are told. */
export async function* walkEntries(
  entries: readonly FileSystemEntry[],
  onUnreadable: (name: string) => void,
): AsyncGenerator<WalkChunk> {
  const stack = [...entries].reverse().map((entry) => ({ entry, folderPath: "" }));
  let chunk: { folders: string[]; files: { folderPath: string; file: File }[] } = { folders: [], files: [] };
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { entry, folderPath } = next;
    try {
      if (entry.isDirectory) {
        const path = join(folderPath, entry.name);
        chunk.folders.push(path);
        const children = await readFolder(entry as FileSystemDirectoryEntry);
        for (const child of children.reverse()) stack.push({ entry: child, folderPath: path });
      } else chunk.files.push({ folderPath, file: await readFile(entry as FileSystemFileEntry) });
    } catch {
      onUnreadable(entry.name);
    }
    if (chunk.files.length + chunk.folders.length >= chunkFilesMax) {
      yield chunk;
      chunk = { folders: [], files: [] };
    }
  }
  yield chunk;
}

/** The same for files from a file chooser, whose folders are in `webkitRelativePath`. */
export function* chunkFiles(files: readonly File[]): Generator<WalkChunk> {
  for (let start = 0; start < files.length; start += chunkFilesMax) {
    const chunk = files
      .slice(start, start + chunkFilesMax)
      .map((file) => ({ folderPath: folderOf(file.webkitRelativePath), file }));
    yield { folders: [], files: chunk };
  }
}

function folderOf(relativePath: string): string {
  const slash = relativePath.lastIndexOf("/");
  return slash < 0 ? "" : relativePath.slice(0, slash).normalize("NFC");
}

function join(path: string, name: string): string {
  return (path === "" ? name : `${path}/${name}`).normalize("NFC");
}

/** Browsers hand out at most 100 children at a time, and an empty list at the end. */
async function readFolder(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function readFile(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
