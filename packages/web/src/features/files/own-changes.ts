const ownIds = new Map<number, number>();

/** Says that the next change of an entry on the feed comes from this tab, which has it on screen already: it is not tinted. */
export function expectOwnChange(id: number): void {
  ownIds.set(id, (ownIds.get(id) ?? 0) + 1);
}

/** Whether a change was expected; each expectation counts once. */
export function takeOwnChange(id: number): boolean {
  const count = ownIds.get(id) ?? 0;
  if (count > 1) ownIds.set(id, count - 1);
  else ownIds.delete(id);
  return count > 0;
}
