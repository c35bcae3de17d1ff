/** What was typed lately; letters within 600 ms of each other belong together. */
export interface TypeAhead {
  readonly text: string;
  readonly atMs: number;
}

/** Nothing typed. */
export const emptyTypeAhead: TypeAhead = { text: "", atMs: 0 };

/** With one more letter. */
export function withLetter(typed: TypeAhead, letter: string, atMs: number): TypeAhead {
  const isContinued = atMs - typed.atMs <= 600;
  return { text: (isContinued ? typed.text : "") + letter.toLocaleLowerCase(), atMs };
}

/**
 * The row to go to: the next one after `fromRow` whose name starts with the text, wrapping round; the row itself counts once more
 * than one letter was typed. The same letter again and again walks through the names that start with it.
 */
export function findTyped(
  typed: TypeAhead,
  fromRow: number,
  rows: { readonly count: number; readonly nameAt: (row: number) => string | undefined },
): number | undefined {
  const isRepeated = typed.text.length > 1 && typed.text === (typed.text[0] ?? "").repeat(typed.text.length);
  const text = isRepeated ? (typed.text[0] ?? "") : typed.text;
  const first = text.length > 1 ? 0 : 1;
  for (let step = first; step < rows.count + first; step++) {
    const row = (fromRow + step) % rows.count;
    if (rows.nameAt(row)?.toLocaleLowerCase().startsWith(text) === true) return row;
  }
  return undefined;
}
