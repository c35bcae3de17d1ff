/** A content as the model knows it: the hash of its bytes, or nothing there. */
export type Content = string | undefined;

/**
 * What one client's names must hold. The client works alone on its names and one operation at a time, so after an
 * acknowledged operation exactly one content is right; while one is unresolved, its effect may or may not be there.
 */
export class ModelDrive {
  readonly #certain = new Map<string, Content>();
  #unresolved: ReadonlyMap<string, Content> = new Map();

  /** The names that certainly exist. */
  names(): readonly string[] {
    return [...this.#certain].filter(([, content]) => content !== undefined).map(([name]) => name);
  }

  /** All names that were ever used. */
  allNames(): readonly string[] {
    return [...new Set([...this.#certain.keys(), ...this.#unresolved.keys()])];
  }

  /** An operation was sent that will set these names, when it happens. */
  begin(effects: ReadonlyMap<string, Content>): void {
    this.#unresolved = effects;
  }

  /** It was acknowledged. */
  acknowledge(): void {
    for (const [name, content] of this.#unresolved) this.#certain.set(name, content);
    this.#unresolved = new Map();
  }

  /** It was refused for good: it did not happen and will not. */
  refuse(): void {
    this.#unresolved = new Map();
  }

  /** Whether finding `content` under `name` is right. */
  allows(name: string, content: Content): boolean {
    if (this.#certain.get(name) === content) return true;
    return this.#unresolved.has(name) && this.#unresolved.get(name) === content;
  }

  /** For messages. */
  describe(name: string): string {
    const short = (content: Content): string => (content === undefined ? "nothing" : content.slice(0, 8));
    const certain = short(this.#certain.get(name));
    return this.#unresolved.has(name) ? `${certain} or ${short(this.#unresolved.get(name))}` : certain;
  }
}
