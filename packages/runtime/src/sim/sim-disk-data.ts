import { HoldfastError, must } from "@holdfast/base";
import type { DiskStat } from "../ports/disk.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SimInode } from "./sim-inode.ts";

/** What a name stands for. */
type Named = SimInode | "directory";

/** Changes of names that belong together; each is durable once its own folder was synced. */
interface NameChange {
  readonly isRename: boolean;
  parts: { readonly path: string; readonly named: Named | undefined }[];
}

/**
 * The contents of one machine's disk: names and inodes, and of both what a power cut would lose. Synchronous; latency
 * and faults are `SimDisk`'s. A rename is never lost on both sides at once (journaling file systems keep that).
 */
export class SimDiskData {
  /** Called right before a file is renamed (or, without a target, removed) by a process; for checkers. */
  onMove: ((source: string, target: string | undefined) => void) | undefined;
  #names = new Map<string, Named>([["/", "directory"]]);
  #durableNames = new Map<string, Named>([["/", "directory"]]);
  #unsynced: NameChange[] = [];

  file(path: string): SimInode {
    const named = this.#names.get(path);
    if (named === undefined) throw notFound(path);
    if (named === "directory") throw new HoldfastError("precondition", `${path} is a folder`);
    return named;
  }

  stat(path: string): DiskStat | undefined {
    const named = this.#names.get(path);
    if (named === undefined) return undefined;
    return named === "directory" ? { kind: "directory", sizeBytes: 0 } : { kind: "file", sizeBytes: named.sizeBytes };
  }

  create(path: string): SimInode {
    if (this.#names.has(path)) throw new HoldfastError("precondition", `${path} exists already`);
    this.#mustBeDirectory(parentOf(path));
    const inode = new SimInode();
    this.#change({ isRename: false, parts: [{ path, named: inode }] });
    return inode;
  }

  rename(source: string, target: string): void {
    const named = this.#names.get(source);
    if (named === undefined) throw notFound(source);
    this.#mustBeDirectory(parentOf(target));
    if (source === target) return;
    if (named !== "directory") this.onMove?.(source, target);
    const parts: NameChange["parts"] = [
      { path: target, named },
      { path: source, named: undefined },
    ];
    if (named === "directory") {
      for (const [path, below] of this.#names) {
        if (!path.startsWith(`${source}/`)) continue;
        parts.push({ path: target + path.slice(source.length), named: below }, { path, named: undefined });
      }
    }
    this.#change({ isRename: true, parts });
  }

  remove(path: string): void {
    this.file(path);
    this.onMove?.(path, undefined);
    this.#change({ isRename: false, parts: [{ path, named: undefined }] });
  }

  /** Durable at once, as the port promises. */
  makeDirectory(path: string): void {
    for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
      const ancestor = end < 0 ? path : path.slice(0, end);
      const named = this.#names.get(ancestor);
      if (named instanceof SimInode) throw new HoldfastError("precondition", `${ancestor} is a file`);
      this.#names.set(ancestor, "directory");
      this.#durableNames.set(ancestor, "directory");
      if (end < 0) return;
    }
  }

  list(path: string): readonly string[] {
    this.#mustBeDirectory(path);
    const prefix = path === "/" ? "/" : `${path}/`;
    const names: string[] = [];
    for (const name of this.#names.keys()) {
      if (name.length > prefix.length && name.startsWith(prefix) && !name.includes("/", prefix.length))
        names.push(name.slice(prefix.length));
    }
    return names.sort((left, right) => (left < right ? -1 : 1));
  }

  syncDirectory(path: string): void {
    this.#mustBeDirectory(path);
    for (const change of this.#unsynced) {
      if (!change.parts.some((part) => parentOf(part.path) === path)) continue;
      const rest: NameChange["parts"] = [];
      for (const part of change.parts) {
        if (parentOf(part.path) === path) this.#keep(part);
        else rest.push(part);
      }
      change.parts = rest;
    }
    this.#unsynced = this.#unsynced.filter((change) => change.parts.length > 0);
  }

  /** The file, when a power cut now would leave it there under this name with all its bytes. */
  durableFile(path: string): SimInode | undefined {
    const named = this.#names.get(path);
    if (named === undefined || named === "directory" || this.#durableNames.get(path) !== named) return undefined;
    return named.isSynced ? named : undefined;
  }

  usedBytes(): number {
    let sum = 0;
    for (const named of this.#names.values()) if (named !== "directory") sum += named.sizeBytes;
    return sum;
  }

  /** Every file, by path; for faults and checkers. */
  *files(): Generator<readonly [path: string, inode: SimInode]> {
    for (const [path, named] of this.#names) if (named !== "directory") yield [path, named];
  }

  /** Everything is gone. */
  wipe(): void {
    this.#names = new Map([["/", "directory"]]);
    this.#durableNames = new Map(this.#names);
    this.#unsynced = [];
  }

  /** Loses what was not synced, in a manner drawn from `random`. */
  powerCut(random: SeededRandom): void {
    const manner = random.integer(3);
    const keptCount =
      manner === 0 ? 0 : manner === 1 ? this.#unsynced.length : random.integer(this.#unsynced.length + 1);
    for (const [index, change] of this.#unsynced.entries()) {
      if (index < keptCount) for (const part of change.parts) this.#keep(part);
      else if (change.isRename) this.#undoHalfRename(change);
    }
    this.#unsynced = [];
    this.#names = new Map([...this.#durableNames].filter(([path]) => this.#durableNames.has(parentOf(path))));
    this.#durableNames = new Map(this.#names);
    const inodes = new Set<SimInode>();
    for (const [, inode] of this.files()) inodes.add(inode);
    for (const inode of inodes) inode.powerCut(random);
  }

  /** When only the removal half of a rename was synced, the other half is kept too: a file is not lost by renaming. */
  #undoHalfRename(change: NameChange): void {
    const isWhole = change.parts.some((part) => part.named === undefined);
    if (!isWhole) for (const part of change.parts) this.#keep(part);
  }

  #change(change: NameChange): void {
    for (const { path, named } of change.parts) setName(this.#names, path, named);
    this.#unsynced.push(change);
  }

  #keep(part: { readonly path: string; readonly named: Named | undefined }): void {
    setName(this.#durableNames, part.path, part.named);
  }

  #mustBeDirectory(path: string): void {
    const named = this.#names.get(path);
    if (named !== "directory") throw notFound(path);
  }
}

function setName(names: Map<string, Named>, path: string, named: Named | undefined): void {
  if (named === undefined) names.delete(path);
  else names.set(path, named);
}

function notFound(path: string): HoldfastError {
  return new HoldfastError("notFound", `there is no ${path}`);
}

/** The folder a path is in. */
function parentOf(path: string): string {
  if (path === "/") return "/";
  const slash = path.lastIndexOf("/");
  must(slash >= 0 ? slash : undefined, "paths are absolute");
  return slash === 0 ? "/" : path.slice(0, slash);
}
