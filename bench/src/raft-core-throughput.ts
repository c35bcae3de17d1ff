import { createRaft } from "../../packages/raft/src/core/create-raft.ts";
import { defaultConfig, type DurableState } from "../../packages/raft/src/core/config.ts";
import type { Message } from "../../packages/raft/src/core/messages.ts";
import type { RaftCore } from "../../packages/raft/src/core/raft-core.ts";
import type { LogIndex, PeerId, Term } from "../../packages/raft/src/core/types.ts";

const ids = [1, 2, 3] as PeerId[];
const boot: DurableState = {
  hardState: { term: 0 as Term, vote: 0 as PeerId, commit: 0 as LogIndex },
  logStart: {
    index: 0 as LogIndex,
    term: 0 as Term,
    membership: { voters: ids, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
  },
  termRuns: [],
  lastIndex: 0 as LogIndex,
  configurationEntries: [],
  window: [],
  appliedIndex: 0 as LogIndex,
};

/** Committed entries per second through three cores in one process: no disk, no network, no promise. */
export function measureCore(load: {
  readonly entries: number;
  readonly entryBytes: number;
  readonly batch: number;
}): number {
  const cores = new Map(
    ids.map((id) => [id, createRaft({ ...defaultConfig(id), windowBytesMax: 4 << 20 }, boot, () => 0.5)]),
  );
  const leader = cores.get(ids[0] as PeerId) as RaftCore;
  leader.step({ kind: "campaign" });
  settle(cores, () => undefined);
  const data = new Uint8Array(load.entryBytes);
  let ref = 1;
  let committed = 0;
  const startedMs = performance.now();
  while (committed < load.entries) {
    const proposals = Array.from({ length: load.batch }, () => ({ ref: ref++, data }));
    leader.step({ kind: "propose", proposals });
    settle(cores, (count) => (committed += count));
  }
  return committed / ((performance.now() - startedMs) / 1000);
}

/** Carries everything out at once until nothing is left to do. */
function settle(cores: ReadonlyMap<PeerId, RaftCore>, onReplies: (count: number) => void): void {
  let messages: Message[] = [];
  for (let isBusy = true; isBusy;) {
    isBusy = messages.length > 0;
    for (const message of messages) cores.get(message.to)?.step({ kind: "receive", message });
    messages = [];
    for (const core of cores.values()) {
      const output = core.drain();
      messages.push(...output.send);
      for (const { message } of output.sendAfter) messages.push(message);
      if (output.persist !== undefined) core.step({ kind: "persisted", token: output.persist.token });
      const last = output.apply.at(-1);
      if (last !== undefined) core.step({ kind: "applied", index: last.index });
      onReplies(output.replies.length);
      if (output.persist !== undefined || last !== undefined) isBusy = true;
    }
  }
}
