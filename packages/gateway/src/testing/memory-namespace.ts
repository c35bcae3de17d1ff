import { clone, create } from "@bufbuild/protobuf";
import { HoldfastError, must } from "@holdfast/base";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { ChangeSchema, type Change, type ChunkLayout } from "@holdfast/proto/master/v1/master";
import { EntryKind, EntrySchema, type Entry } from "@holdfast/proto/model/v1/model";

/** Where the bytes of a version are, in the memory masters. */
export interface MemoryContent {
  readonly chunks: readonly ChunkLayout[];
  readonly inline: Uint8Array;
}

/** Files and folders of the memory masters: the rules a gateway meets, none of the machinery. */
export class MemoryNamespace {
  readonly entries = new Map<bigint, Entry>();
  readonly contents = new Map<bigint, MemoryContent>();
  #lastId = 100n;

  newId(): bigint {
    return ++this.#lastId;
  }

  /** Others' entries are as unknown as absent ones. */
  entryOf(userId: bigint, entryId: bigint): Entry {
    const entry = this.entries.get(entryId);
    if (entry === undefined || (userId !== 0n && entry.ownerId !== userId))
      throw new HoldfastError("notFound", "There is no such file or folder.");
    return entry;
  }

  childrenOf(parentId: bigint): Entry[] {
    const children = [...this.entries.values()].filter(
      (entry) => entry.parentId === parentId && entry.trashedAtMs === 0n,
    );
    return children.sort((left, right) => left.kind - right.kind || (left.name < right.name ? -1 : 1));
  }

  ancestorsOf(entry: Entry): Entry[] {
    const ancestors: Entry[] = [];
    for (let parentId = entry.parentId; parentId !== 0n;) {
      const parent = must(this.entries.get(parentId), "a parent is there");
      ancestors.unshift(parent);
      parentId = parent.parentId;
    }
    return ancestors;
  }

  resolve(userId: bigint, rootEntryId: bigint, path: string): Entry {
    let entry = this.entryOf(userId, rootEntryId);
    for (const name of path.split("/").filter((part) => part !== "")) {
      const next = this.childrenOf(entry.entryId).find((child) => child.name === name);
      if (next === undefined) throw new HoldfastError("notFound", "There is no such file or folder.");
      entry = next;
    }
    return entry;
  }

  /** Makes or replaces an entry by the policy. Answers it, and the change to tell. */
  put(
    index: bigint,
    wish: {
      readonly userId: bigint;
      readonly parentId: bigint;
      readonly name: string;
      readonly kind: EntryKind;
      readonly conflict: ConflictPolicy;
    },
  ): Entry {
    const parent = this.entryOf(wish.userId, wish.parentId);
    if (parent.kind !== EntryKind.FOLDER) throw new HoldfastError("invalidArgument", "The target is not a folder.");
    const name = wish.name.normalize("NFC");
    const taken = this.childrenOf(wish.parentId).find((child) => child.name === name);
    if (taken !== undefined && wish.conflict === ConflictPolicy.REPLACE && taken.kind === EntryKind.FILE) {
      const replaced = { ...taken, revision: index };
      this.entries.set(taken.entryId, replaced);
      return replaced;
    }
    if (taken !== undefined && wish.conflict !== ConflictPolicy.KEEP_BOTH) {
      throw new HoldfastError("nameTaken", "There is already an entry of that name. Nothing was changed.");
    }
    const { userId: ownerId, parentId, kind } = wish;
    const entryId = this.newId();
    const entry = create(EntrySchema, {
      entryId,
      parentId,
      ownerId,
      kind,
      name: taken === undefined ? name : `${name} (2)`,
      revision: index,
    });
    this.entries.set(entryId, entry);
    return entry;
  }

  changed(entry: Entry): Change {
    return create(ChangeSchema, { change: { case: "entry", value: { entry: clone(EntrySchema, entry) } } });
  }

  gone(entry: Entry): Change {
    const { entryId, parentId, ownerId } = entry;
    return create(ChangeSchema, { change: { case: "entryGone", value: { entryId, parentId, ownerId } } });
  }
}
