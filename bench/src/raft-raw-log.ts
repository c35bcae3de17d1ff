import { constants, fdatasync, openSync, write } from "node:fs";

/** A file that grows by one record at a time. */
export interface RawLog {
  /** Calls back when the next record is durable. */
  append(onDurable: () => void): void;
}

/** Opens one; `oneCall`: every write is durable when it returns (O_DSYNC), `twoCalls`: write, then fdatasync. */
export function openRawLog(path: string, recordBytes: number, manner: "oneCall" | "twoCalls" = "oneCall"): RawLog {
  const flags = constants.O_RDWR | constants.O_CREAT | (manner === "oneCall" ? constants.O_DSYNC : 0);
  const file = openSync(path, flags);
  const record = Buffer.alloc(recordBytes, 1);
  let offset = 0;
  return {
    append: (onDurable) => {
      const done = (error: Error | null): void => {
        if (error !== null) throw error;
        onDurable();
      };
      write(file, record, 0, recordBytes, offset, (error) => {
        if (error !== null || manner === "oneCall") done(error);
        else fdatasync(file, done);
      });
      offset += recordBytes;
    },
  };
}
