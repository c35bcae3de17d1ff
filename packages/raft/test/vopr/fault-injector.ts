import { must } from "@holdfast/base";
import type { SimNetwork } from "@holdfast/rpc/sim";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { PeerId } from "../../src/core/types.ts";
import { damagingKinds, type BrokenKind, type Fault, type FaultKind } from "./fault-plan.ts";
import type { VoprMember } from "./vopr-member.ts";
import type { WitnessWatch } from "./witness-watch.ts";

/** How long a member that crashed stays down, at least and at most. */
const downMs = [5, 1500] as const;

/** Faults while which a member keeps nothing that it is told, or later than it should. */
const ailingKinds: ReadonlySet<FaultKind> = new Set(["pause", "diskStall", "slowSync", "diskFull", "syncError"]);

/** Damage so close to a log's end may look as if something had never been written. */
const tailBytes = 1024;

/** Carries out the faults of a plan, and heals them. */
export class FaultInjector {
  readonly #world: SimWorld;
  readonly #network: SimNetwork;
  readonly #members: readonly VoprMember[];
  readonly #witnesses: WitnessWatch;
  /** Members that had a fault after which the group must take them back: never more than a minority. */
  readonly #damaged = new Set<VoprMember>();
  #isOver = false;
  #hasChurned = false;
  #quietUntilMs = 0;
  /** How often each kind happened. */
  readonly injected = new Map<FaultKind, number>();

  constructor(parts: {
    readonly world: SimWorld;
    readonly network: SimNetwork;
    readonly members: readonly VoprMember[];
    readonly witnesses: WitnessWatch;
  }) {
    this.#world = parts.world;
    this.#network = parts.network;
    this.#members = parts.members;
    this.#witnesses = parts.witnesses;
  }

  /** Puts all faults on the clock. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#world.scheduler.schedule(fault.atMs, `fault ${fault.number} ${fault.kind}`, () => {
        if (!this.#isOver) this.#inject(fault);
      });
    }
  }

  /** Members whose disk was damaged or replaced. */
  get damaged(): ReadonlySet<VoprMember> {
    return this.#damaged;
  }

  /** Whether the membership was to change: then who is a majority is the group's own affair. */
  get hasChurned(): boolean {
    return this.#hasChurned;
  }

  /** Whoever runs a damaged member reads its last words, takes its folder away, and starts it again. */
  replaceRefusing(): void {
    for (const member of this.#damaged) {
      if (member.refusal === undefined) continue;
      member.refusal = undefined;
      member.wipe();
      this.#world.scheduler.schedule(50, `replaced ${member.name}`, () => member.boot());
    }
  }

  #after(delayMs: number, label: string, act: () => void): void {
    this.#world.scheduler.schedule(delayMs, label, () => {
      if (!this.#isOver) act();
    });
  }

  #inject(fault: Fault): void {
    const member = must(this.#members[fault.member - 1], "the member exists");
    if (this.#world.nowMs() < this.#quietUntilMs) return;
    if (this.#isUnwitnessed(fault.kind, member)) return;
    if (damagingKinds.has(fault.kind) && !this.#mayDamage(member)) return;
    if (ailingKinds.has(fault.kind)) this.#witnesses.unwell(member, this.#world.nowMs() + fault.forMs);
    this.injected.set(fault.kind, (this.injected.get(fault.kind) ?? 0) + 1);
    if (this.#injectCrash(fault, member) || this.#injectNetwork(fault, member)) return;
    if (!this.#injectDisk(fault, member)) this.#injectOrders(fault, member);
  }

  /** Whether a disk may forget something that nobody else knows of, itself included. */
  #isUnwitnessed(kind: FaultKind, member: VoprMember): boolean {
    if (kind === "restoreBackup") return this.#witnesses.isUnwitnessed(member, "sinceBackup");
    return (kind === "bitRot" || kind === "misdirectedWrite") && this.#witnesses.isUnwitnessed(member, "atTheEnd");
  }

  #mayDamage(member: VoprMember): boolean {
    if (!this.#damaged.has(member) && this.#damaged.size >= (this.#members.length - 1) / 2) return false;
    if (this.#members.some((other) => other !== member && other.node === undefined)) return false;
    this.#damaged.add(member);
    return true;
  }

  /**
   * A disk that silently forgot what was acknowledged is noticed by those who remember the acknowledgement. With one of
   * them gone at the same time, more than a minority has failed, and nothing can be promised.
   */
  #keepOthersWell(): void {
    this.#quietUntilMs = this.#world.nowMs() + 2500;
    this.#network.heal();
    for (const { machine } of this.#members) {
      machine.disk.resume();
      machine.disk.syncStallMs = 0;
      machine.disk.foreignBytes = 0;
      machine.resume();
    }
  }

  #injectCrash(fault: Fault, member: VoprMember): boolean {
    const waitMs = downMs[0] + fault.luck * (downMs[1] - downMs[0]);
    const crash = (one: VoprMember, how: "process" | "powerCut"): void => {
      one.crash(how, (count) => Math.floor(fault.luck * count));
      this.#after(waitMs, `boot ${one.name}`, () => one.boot());
    };
    switch (fault.kind) {
      case "crash":
        crash(member, "process");
        return true;
      case "powerCut":
        crash(member, "powerCut");
        return true;
      case "powerCutAll":
        for (const one of this.#members) crash(one, "powerCut");
        return true;
      case "restart":
        member.stop(() => this.#after(waitMs / 10, `boot ${member.name}`, () => member.boot()));
        return true;
      case "pause":
        member.machine.pause();
        this.#after(fault.forMs, `resume ${member.name}`, () => member.machine.resume());
        return true;
      default:
        return false;
    }
  }

  #injectNetwork(fault: Fault, member: VoprMember): boolean {
    const names = this.#members.map(({ name }) => name);
    const other = must(names[fault.other - 1], "the member exists");
    const heal = (act: () => void): void => this.#after(fault.forMs, "heal", act);
    const block = (source: string, target: string): void => {
      this.#network.block(source, target);
      heal(() => this.#network.unblock(source, target));
    };
    switch (fault.kind) {
      case "block":
        block(member.name, other);
        return true;
      case "partition":
        for (const name of names) {
          if (name === member.name || (name === other && fault.luck < 0.5)) continue;
          block(member.name, name);
          block(name, member.name);
        }
        return true;
      case "ring":
        // Everybody hears only its neighbours: a partial partition.
        names.forEach((source, place) => {
          names.forEach((target, otherPlace) => {
            const distance = Math.abs(place - otherPlace);
            if (distance > 1 && distance < names.length - 1) block(source, target);
          });
        });
        if (names.length === 3) block(other, member.name);
        return true;
      case "breakConnections":
        this.#network.breakConnections(member.name, other);
        return true;
      case "slowLinks": {
        const delayMs = fault.luck * 400;
        this.#network.setQuality(member.name, other, { delayMs: [delayMs / 4, delayMs] });
        heal(() => this.#network.setQuality(member.name, other, { delayMs: [0.05, 0.5] }));
        return true;
      }
      default:
        return false;
    }
  }

  #injectDisk(fault: Fault, member: VoprMember): boolean {
    const { disk } = member.machine;
    switch (fault.kind) {
      case "diskStall":
        disk.stall();
        this.#after(fault.forMs, `disk of ${member.name} goes on`, () => disk.resume());
        return true;
      case "slowSync":
        disk.syncStallMs = fault.luck * 300;
        this.#after(fault.forMs, `disk of ${member.name} is fast`, () => (disk.syncStallMs = 0));
        return true;
      case "syncError":
        disk.failingSyncCount = 1;
        this.#after(fault.forMs, `boot ${member.name}`, () => {
          disk.failingSyncCount = 0;
          member.boot();
        });
        return true;
      case "diskFull":
        disk.foreignBytes = disk.capacityBytes;
        this.#after(fault.forMs, `disk of ${member.name} has room`, () => {
          disk.foreignBytes = 0;
          member.boot();
        });
        return true;
      case "clockJump":
        member.machine.wallOffsetMs += (fault.luck - 0.5) * 7_200_000;
        return true;
      default:
        return this.#injectDamage(fault, member);
    }
  }

  /** Happens to a member that is down, which then starts again. */
  #injectDamage(fault: Fault, member: VoprMember): boolean {
    if (!damagingKinds.has(fault.kind)) return false;
    member.crash("powerCut", (count) => Math.floor(fault.luck * count));
    if (fault.kind === "wipe") member.wipe();
    else if (fault.kind === "restoreBackup") {
      member.restoreBackup();
      this.#keepOthersWell();
    } else if (damageFile(member, fault) === "atTheEnd") this.#keepOthersWell();
    this.#after(downMs[0] + fault.luck * 500, `boot ${member.name}`, () => member.boot());
    return true;
  }

  #injectOrders(fault: Fault, member: VoprMember): void {
    const leader = this.#members.find(({ node }) => node?.status().isReadyLeader === true)?.node;
    if (leader === undefined) return;
    if (fault.kind !== "transfer" && fault.kind !== "leaderLost") this.#hasChurned = true;
    if (fault.kind === "leaderLost") {
      this.#loseLeader(fault);
      return;
    }
    const quietly = (order: Promise<unknown>): void => void order.catch(() => undefined);
    const id = member.id as PeerId;
    const peer = { id, address: `${member.name}:7000` };
    switch (fault.kind) {
      case "transfer":
        quietly(fault.luck < 0.5 ? leader.transferLeadership() : leader.transferLeadership(id));
        return;
      case "removeAndAdd":
        quietly(leader.changeMembership([{ kind: "remove", id }]));
        this.#after(fault.forMs / 3, `add ${member.name}`, () =>
          this.#order((node) => node.changeMembership([{ kind: "addVoter", peer }])),
        );
        return;
      case "demoteAndPromote":
        quietly(leader.changeMembership([{ kind: "demote", id }]));
        this.#after(fault.forMs / 3, `promote ${member.name}`, () =>
          this.#order((node) => node.changeMembership([{ kind: "promote", id }])),
        );
        return;
      default:
    }
  }

  #loseLeader(fault: Fault): void {
    const leader = this.#members.find(({ node }) => node?.status().isReadyLeader === true);
    if (leader === undefined) return;
    const kind = fault.luck < 0.5 ? "partition" : "pause";
    const instead = { ...fault, kind, member: Number(leader.id), other: Number(leader.id), luck: 1 } as const;
    if (kind === "pause") this.#witnesses.unwell(leader, this.#world.nowMs() + fault.forMs);
    if (!this.#injectCrash(instead, leader)) this.#injectNetwork(instead, leader);
  }

  #order(act: (leader: NonNullable<VoprMember["node"]>) => Promise<unknown>): void {
    const leader = this.#members.find(({ node }) => node?.status().isReadyLeader === true)?.node;
    if (leader !== undefined) act(leader).catch(() => undefined);
  }

  /** No more faults; everything that is not meant to stay broken works again. */
  healAllBut(broken: ReadonlyMap<VoprMember, BrokenKind>): void {
    this.#isOver = true;
    this.#network.heal();
    for (const one of this.#members) {
      for (const other of this.#members) this.#network.setQuality(one.name, other.name, { delayMs: [0.05, 0.5] });
      const { disk } = one.machine;
      disk.resume();
      disk.syncStallMs = 0;
      disk.failingSyncCount = 0;
      disk.foreignBytes = 0;
      one.machine.resume();
      const how = broken.get(one);
      if (how === undefined) one.boot();
      else this.#break(one, how);
    }
  }

  #break(member: VoprMember, how: BrokenKind): void {
    const others = this.#members.filter((other) => other !== member);
    if (how === "dead") member.crash("process", () => 0);
    else if (how === "stalledDisk") member.machine.disk.stall();
    else if (how === "paused") member.machine.pause();
    else if (how === "deaf") for (const { name } of others) this.#network.block(name, member.name);
    else for (const { name } of others) this.#network.block(member.name, name);
  }
}

/** One bit rots, or a sector is written to a wrong place. Says whether that is where a torn write could be. */
function damageFile(member: VoprMember, fault: Fault): "atTheEnd" | "before" {
  const files = member.files();
  const file = files[Math.floor(fault.luck * files.length)];
  if (file === undefined) return "before";
  const inode = member.machine.disk.data.file(file.path);
  const position = Math.floor(((fault.luck * 7919) % 1) * file.sizeBytes);
  const target = fault.kind === "bitRot" ? position : Math.floor((position * 0.6180339) % file.sizeBytes);
  if (fault.kind === "bitRot") {
    inode.flipBit(position);
  } else {
    const sector = inode.read(Math.max(0, position - 512), 512);
    inode.write(sector, target);
    inode.sync();
  }
  const isLast = file.path === files.findLast(({ path }) => /\/log-[0-9a-f]+$/.test(path))?.path;
  return isLast && target + tailBytes > file.sizeBytes ? "atTheEnd" : "before";
}
