/**
 * The smallest part of `items` found with which `isRed` holds: halves, quarters and so on are left out as long as it
 * stays red (Zeller's delta debugging). `triesMax` bounds the runs.
 */
export async function shrink<T>(
  items: readonly T[],
  isRed: (kept: readonly T[]) => Promise<boolean>,
  triesMax: number,
): Promise<readonly T[]> {
  let kept = items;
  let tries = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1 && kept.length > 0;) {
    let isSmaller = false;
    for (let from = 0; from < kept.length && tries < triesMax;) {
      const without = [...kept.slice(0, from), ...kept.slice(from + size)];
      tries++;
      if (await isRed(without)) {
        kept = without;
        isSmaller = true;
      } else from += size;
    }
    if (tries >= triesMax) break;
    if (!isSmaller || size > 1) {
      if (size === 1) break;
      size = Math.ceil(size / 2);
    }
  }
  return kept;
}
