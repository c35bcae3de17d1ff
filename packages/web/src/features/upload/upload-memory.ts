const key = "holdfast.uploads";
const rememberedMax = 200;

/** What tells a file from another without reading it. */
export interface FileIdentity {
  readonly parentId: number;
  readonly path: string;
  readonly file: File;
}

/** The upload id that an earlier page began for the same file in the same place, if it is remembered. */
export function recallUpload(identity: FileIdentity): string | undefined {
  return read()[identityKey(identity)];
}

/** Remembers an upload in parts, so that dropping the same file again after a reload goes on where it stopped. */
export function rememberUpload(identity: FileIdentity, uploadId: string): void {
  const entries = [
    ...Object.entries(read()).filter(([known]) => known !== identityKey(identity)),
    [identityKey(identity), uploadId] as const,
  ];
  write(Object.fromEntries(entries.slice(-rememberedMax)));
}

/** Forgets an upload that is finished or cancelled. */
export function forgetUpload(uploadId: string): void {
  write(Object.fromEntries(Object.entries(read()).filter(([, known]) => known !== uploadId)));
}

function identityKey({ parentId, path, file }: FileIdentity): string {
  return `${parentId}|${path}|${file.name}|${file.size}|${file.lastModified}`;
}

function read(): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    );
  } catch {
    return {};
  }
}

function write(known: Readonly<Record<string, string>>): void {
  try {
    localStorage.setItem(key, JSON.stringify(known));
  } catch {
    // Storage may be full or forbidden: the upload works, it only cannot be continued after a reload.
  }
}
