/** What a person offers for upload: plain files, or the items of a drop, which may be folders. */
export interface UploadOffer {
  readonly parentId: number;
  /** Shown in the panel. */
  readonly folderName: string;
  readonly files?: readonly File[];
  /** Taken in the same tick as the drop, as browsers demand. */
  readonly entries?: readonly FileSystemEntry[];
}

let receiver: (offer: UploadOffer) => void = () => undefined;

/** The app says who takes uploads. */
export function onUploadOffered(next: (offer: UploadOffer) => void): void {
  receiver = next;
}

/** Hands files over to the upload engine. */
export function offerUpload(offer: UploadOffer): void {
  receiver(offer);
}

/** Opens the browser's file chooser and offers what was chosen. */
export function chooseFiles(
  target: { readonly parentId: number; readonly folderName: string },
  kind: "files" | "folder",
): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  if (kind === "folder") input.webkitdirectory = true;
  input.addEventListener("change", () => offerUpload({ ...target, files: Array.from(input.files ?? []) }));
  input.click();
}

/** The folders and files of a drop; to be called before the first await of a drop handler. */
export function contentsOfDrop(transfer: DataTransfer): Pick<UploadOffer, "entries" | "files"> {
  const entries = Array.from(transfer.items).flatMap((item) =>
    item.kind === "file" ? (item.webkitGetAsEntry() ?? []) : [],
  );
  return entries.length > 0 ? { entries } : { files: Array.from(transfer.files) };
}
