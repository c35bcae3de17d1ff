import type { Timers } from "@holdfast/runtime";
import { createBrowse, type Browse } from "./browse.ts";
import { createChange, type Change } from "./change.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { createOpenFile, type OpenFileForReading, type ReadFileOptions } from "./read-file.ts";
import type { FileBytes, Masters } from "./ports.ts";
import { createUploads, type Uploads, type UploadsOptions } from "./uploads.ts";
import { createWatchChanges, type WatchChanges } from "./watch.ts";
import type { WriteFileOptions } from "./write-chunked.ts";
import { createWriteFile, type WriteFile } from "./write-file.ts";

/** Everything a signed-in person does with files and folders. Knows no protocol. */
export interface Drive extends Browse, Change {
  readonly writeFile: WriteFile;
  readonly openFile: OpenFileForReading;
  readonly uploads: Uploads;
  readonly watch: WatchChanges;
}

/** What `createDrive` is made of. */
export interface DriveParts {
  readonly masters: Masters;
  readonly bytes: FileBytes;
  readonly feed: ChangeFeed;
  readonly timers: Timers;
  readonly options: Omit<WriteFileOptions & UploadsOptions & ReadFileOptions, "bytes">;
}

/** All drive use-cases. */
export function createDrive({ masters, bytes, feed, timers, options }: DriveParts): Drive {
  return {
    ...createBrowse(masters),
    ...createChange(masters),
    writeFile: createWriteFile(masters, { ...options, bytes }),
    openFile: createOpenFile(masters, { ...options, bytes }),
    uploads: createUploads(masters, { ...options, bytes }),
    watch: createWatchChanges(feed, timers),
  };
}
