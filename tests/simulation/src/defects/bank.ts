/** A defect that can be planted into the product, and what it is. */
export interface PlantedDefect {
  /** As the product asks for it (`isPlanted`). */
  readonly name: string;
  /** For people: what the product does wrong with it. */
  readonly what: string;
}

/** Everything outside Raft's own bank of bugs, and a few of that bank that only a whole cluster makes dangerous. */
export const defectBank: readonly PlantedDefect[] = [
  { name: "ackBeforeFsync", what: "a chunkserver acknowledges a copy whose bytes are not synced" },
  { name: "ackBeforeNameIsDurable", what: "a chunkserver acknowledges a copy whose name is not synced" },
  { name: "logNotSynced", what: "masters count log entries that are not synced" },
  { name: "commitBelowMinimum", what: "a file is committed with one durable copy" },
  {
    name: "trimBeforeConfirm",
    what: "a copy that was only ordered counts as there, and another one is trimmed for it",
  },
  { name: "orderedAwayCounts", what: "a copy that is being trimmed counts again when its node mentions it" },
  { name: "deadCopyCounts", what: "copies on dead nodes count as live" },
  { name: "lostCopyCounts", what: "a copy that its node or a reader called damaged goes on counting" },
  { name: "unverifiedCopy", what: "repair copies damaged bytes and keeps them, whatever their hash" },
  { name: "damageUnseen", what: "blocks are served and copied without comparing their checksums" },
  { name: "chunkIdReused", what: "the counter of chunk ids forgets what it gave out" },
  { name: "uploadVisibleEarly", what: "an upload shows before it is committed" },
  { name: "dedupForgotten", what: "the outcome of a repeated request is not remembered" },
  { name: "staleRead", what: "masters answer reads without asking whether they still lead" },
  { name: "earlierTermCounts", what: "masters take messages of a lower term" },
  { name: "endedSessionServed", what: "a gateway goes on serving a session that ended" },
];
