import type { RaftEvent, RaftStanding } from "../api.ts";
import type { ConfigurationChange, SnapshotMeta } from "../core/entries.ts";
import type { Input } from "../core/input.ts";
import type { Message } from "../core/messages.ts";
import type { RaftCore, RaftView } from "../core/raft-core.ts";
import type { LogIndex } from "../core/types.ts";
import { Applier } from "./applier.ts";
import { AppliedWaiters } from "./applied-waiters.ts";
import { Compactor } from "./compactor.ts";
import { LogWriter } from "./log-writer.ts";
import { MemberDesk } from "./membership/member-desk.ts";
import { MembershipKeeper } from "./membership/membership-keeper.ts";
import { PromiseKeeper } from "./membership/promise-keeper.ts";
import { StandingKeeper } from "./membership/standing-keeper.ts";
import { joiningStart, type RaftNodeParts } from "./raft-node-parts.ts";
import { LeaseClock, leaseMsOf } from "./lease-clock.ts";
import { Reads } from "./reads.ts";
import { SendAfter } from "./send-after.ts";
import { SnapshotInstaller } from "./snapshot/snapshot-installer.ts";
import { SnapshotReceiver, type ReceivedSnapshot } from "./snapshot/snapshot-receiver.ts";
import { SnapshotSender } from "./snapshot/snapshot-sender.ts";
import { StallWatch } from "./stall-watch.ts";

/** What the organs tell the shell, and ask it for. */
export interface ShellHost {
  /** Where the state machine stands for this node. */
  readonly appliedIndex: LogIndex;
  readonly core: () => RaftCore;
  readonly isTakingPart: () => boolean;
  readonly enqueue: (input: Input) => void;
  readonly send: (message: Message) => void;
  readonly order: (change: ConfigurationChange) => Promise<unknown>;
  readonly begin: (start: SnapshotMeta) => Promise<void>;
  /** Says hello to all other members. */
  readonly ask: () => void;
  readonly onStandingChanged: (standing: RaftStanding) => void;
  readonly onApplied: (index: LogIndex) => void;
  readonly onInstalled: (snapshot: ReceivedSnapshot) => void;
  readonly emit: (event: RaftEvent) => void;
  readonly fail: (sentence: string, error: unknown) => void;
}

/** The shell's helpers, each with one task; the shell itself only passes things between them and the core. */
export interface ShellOrgans {
  readonly desk: MemberDesk;
  readonly standing: StandingKeeper;
  readonly keeper: MembershipKeeper;
  readonly promises: PromiseKeeper;
  readonly waiters: AppliedWaiters;
  readonly reads: Reads;
  readonly leases: LeaseClock;
  readonly sendAfter: SendAfter;
  readonly stallWatch: StallWatch;
  readonly applier: Applier;
  readonly compactor: Compactor;
  readonly sender: SnapshotSender;
  readonly receiver: SnapshotReceiver;
  readonly installer: SnapshotInstaller;
  readonly writer: LogWriter;
}

/** Makes them; nothing runs yet. */
export function createOrgans(parts: RaftNodeParts, host: ShellHost): ShellOrgans {
  const { settings, ports } = parts;
  const waiters = new AppliedWaiters(host.appliedIndex);
  const { desk, standing, keeper } = membershipOrgans(parts, host);
  const promises = new PromiseKeeper({ desk, store: parts.store, clock: ports.clock });
  const applier = createApplier(parts, host);
  const leases = new LeaseClock({ clock: ports.clock, leaseMs: leaseMsOf(settings) });
  const { sender, receiver, installer } = snapshotOrgans(parts, host, { desk, waiters, applier });
  return {
    ...{ desk, standing, keeper, promises, waiters, applier, sender, receiver, installer },
    ...{ leases, reads: new Reads({ addressOf: (peer) => desk.addressOf(peer), leases }) },
    sendAfter: new SendAfter(host.send),
    stallWatch: new StallWatch({ tickMs: settings.tickMs, stallMs: settings.loopStallMs }, ports.clock.monotonicMs()),
    writer: new LogWriter({
      ...{ store: parts.store, timers: ports.timers, installer, onInstalled: host.onInstalled },
      takePromises: () => promises.takeDue(),
    }),
    compactor: new Compactor({
      stateMachine: parts.stateMachine,
      retainedEntriesMin: settings.retainedEntriesMin,
      laggingEntriesMax: Math.max(settings.laggingEntriesMax, settings.retainedEntriesMin),
      sendingIndex: () => sender.lowestIndex,
      view: () => host.core().view(),
      compact: (throughIndex) => host.enqueue({ kind: "compact", throughIndex }),
      onFailed: (error) => host.fail("the state machine could not be made durable", error),
    }),
  };
}

function membershipOrgans(parts: RaftNodeParts, host: ShellHost): Pick<ShellOrgans, "desk" | "standing" | "keeper"> {
  const { config, settings, stateMachine, ports } = parts;
  const others = config.peers.filter(({ id }) => id !== config.id);
  const self = config.peers.find(({ id }) => id === config.id) ?? { id: config.id, address: "" };
  const { appliedIndex } = host;
  const { promises } = parts.store;
  const desk = new MemberDesk({ self, configured: config.peers, boot: parts.store.boot, appliedIndex, promises });
  const standing = new StandingKeeper({
    self: { id: self.id, incarnation: parts.incarnation },
    ...{ standing: parts.standing, others: others.map(({ id }) => id), logger: ports.logger },
    ...{ founding: parts.founding, joining: joiningStart, hasSnapshots: stateMachine.snapshots !== undefined },
    vouchingTicksMax: settings.electionTicksMin,
    begin: (start, cofounders) => {
      desk.foundedWith(cofounders);
      return host.begin(start);
    },
    ask: host.ask,
    onChanged: host.onStandingChanged,
    onFailed: host.fail,
  });
  const keeper = new MembershipKeeper({
    electionMs: settings.electionTicksMin * settings.tickMs,
    book: () => desk.book,
    addressOf: (peer) => desk.addressOf(peer) ?? "",
    order: async (change) => void (await host.order(change)),
  });
  return { desk, standing, keeper };
}

function createApplier({ stateMachine, settings }: RaftNodeParts, host: ShellHost): Applier {
  return new Applier({
    stateMachine,
    batchEntriesMax: settings.applyBatchEntriesMax,
    batchBytesMax: settings.applyBatchBytesMax,
    onApplied: host.onApplied,
    onFailed: (error) => host.fail("the state machine could not apply an entry", error),
  });
}

function snapshotOrgans(
  parts: RaftNodeParts,
  host: ShellHost,
  { desk, waiters, applier }: Pick<ShellOrgans, "desk" | "waiters" | "applier">,
): Pick<ShellOrgans, "sender" | "receiver" | "installer"> {
  const { config, settings, stateMachine, ports, store, incarnation } = parts;
  const common = { stateMachine, clusterId: config.clusterId, self: config.id, keptMs: settings.snapshotKeptMs };
  const installer = new SnapshotInstaller({
    announce: ({ from, term, meta }) => {
      const message = { kind: "snapshotRequest", from, to: config.id, term, snapshot: meta } as const;
      host.enqueue({ kind: "receive", message });
    },
    quiesce: () => applier.quiesce(),
    intend: (meta) => store.intend(meta),
    commitIndex: () => host.core().view().commitIndex,
  });
  const receiver = new SnapshotReceiver({
    ...{ ...common, timers: ports.timers, logger: ports.logger },
    position: () => (host.isTakingPart() ? positionOf(host.core().view()) : undefined),
    onWhole: (snapshot) => installer.offer(snapshot),
  });
  const sender = new SnapshotSender({
    ...{ ...ports, ...common },
    incarnation: () => incarnation,
    addressOf: (peer) => desk.addressOf(peer),
    whenApplied: (index) => waiters.wait(index),
    metaAt: (index) => metaAt(host.core(), desk, index),
    position: () => host.core().view(),
    retryMs: settings.snapshotRetryMs,
    stallMs: settings.snapshotStallMs,
    onEnded: (peer, isOk) => host.enqueue({ kind: "snapshotSent", peer, isOk }),
    onEvent: host.emit,
  });
  return { sender, receiver, installer };
}

/** What a snapshot must be newer than. A log that is not whole is only replaced as a whole. */
function positionOf(view: RaftView): Pick<RaftView, "term" | "commitIndex"> {
  const { term, commitIndex, lastIndex, missingEntries } = view;
  return { term, commitIndex: missingEntries === 0 ? commitIndex : ((lastIndex - 1) as LogIndex) };
}

function metaAt(core: RaftCore, desk: MemberDesk, index: LogIndex): SnapshotMeta | undefined {
  const term = core.termAt(index);
  const membership = core.membershipAt(index);
  if (term === undefined || membership === undefined || index === 0) return undefined;
  return desk.describe({ index, term, membership });
}
