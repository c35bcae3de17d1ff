import { HoldfastError, type ErrorKind } from "@holdfast/base";

const kindByCode: Readonly<Record<string, ErrorKind>> = {
  ENOENT: "notFound",
  ENOTDIR: "notFound",
  EEXIST: "precondition",
  ENOTEMPTY: "precondition",
  EISDIR: "precondition",
  ENOSPC: "noSpace",
  EDQUOT: "noSpace",
  EMFILE: "tooBusy",
  ENFILE: "tooBusy",
};

const sentenceByKind: Readonly<Partial<Record<ErrorKind, string>>> = {
  notFound: "there is no such file or folder",
  precondition: "the name is already taken or the folder is not empty",
  noSpace: "the disk is full; free some space",
  tooBusy: "too many files are open; raise the limit of open files",
};

/** The system's error as a `HoldfastError`; anything unknown counts as a failed disk. */
export function toDiskError(action: string, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const kind = kindByCode[code] ?? (tellsOfNoSpace(cause) ? "noSpace" : "diskFailed");
  const sentence = sentenceByKind[kind] ?? "the disk failed; what was not synced before may be gone";
  return new HoldfastError(kind, `cannot ${action}: ${sentence} (${code})`, { cause });
}

/** LevelDB passes the system's words on and not its code, some causes deep. */
function tellsOfNoSpace(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause)
    if (/No space left on device|Disk quota exceeded/.test(error.message)) return true;
  return false;
}

/** Runs one system call and maps its error. */
export async function diskCall<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toDiskError(action, error);
  }
}
