// The other side of raft-raw-limits.ts: node raft-raw-peer.ts LOG RECORD_BYTES. A request that begins with 0 is sent back,
// one that begins with 1 is a record to be appended and answered with one byte. One request at a time, in one piece.
import { createServer } from "node:net";
import { openRawLog } from "./raft-raw-log.ts";

const [, , path = "", recordBytes = ""] = process.argv;
const log = openRawLog(path, Number(recordBytes));
const answer = Buffer.alloc(1);
const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  let untaken = 0;
  socket.on("data", (part) => {
    if (part[0] === 0) {
      socket.write(part);
      return;
    }
    for (untaken += part.length; untaken >= Number(recordBytes); untaken -= Number(recordBytes))
      log.append(() => socket.write(answer));
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" ? address?.port : undefined);
});
process.on("disconnect", () => process.exit());
