// Structured garbage for the decoder and for `step` (test/fuzz). npm run raft:fuzz -- [--messages 1000000] [--seed 1]
import { fuzz } from "./fuzz/fuzz.ts";
import { readOptions } from "./usage.ts";

const values = readOptions("npm run raft:fuzz -- [--messages 1000000] [--seed 1]", {
  messages: { type: "string", default: "1000000" },
  seed: { type: "string", default: "1" },
});
const total = Number(values.messages);
const seedSize = 100_000;
const startedMs = performance.now();
let done = 0;
let decoded = 0;
let dropped = 0;
for (let seed = Number(values.seed); done < total; seed++) {
  const report = fuzz({ seed, messages: Math.min(seedSize, total - done) });
  done += report.messages;
  decoded += report.decoded;
  dropped += report.dropped;
}
const seconds = (performance.now() - startedMs) / 1000;
process.stdout.write(
  `${done} messages, none threw and no invariant broke; ${decoded} mangled bytes were still messages, ` +
    `cores dropped ${dropped}; ${seconds.toFixed(1)} s, ${Math.round(done / seconds)} messages/s\n`,
);
