import { setTimeout as delay } from "node:timers/promises";
import type { EdgeSession } from "./edge-session.ts";

const pauseMs = 40;
/** Small, so that many pages begin inside the order of the folder. */
const pageEntries = 50;

/** A folder that only grows, by one empty folder after another: its order has hundreds of entries when faults come. */
export class WideFolder {
  readonly #session: EdgeSession;
  readonly #names: string[] = [];
  #folderId = 0n;

  constructor(session: EdgeSession) {
    this.#session = session;
  }

  /** Makes entries until told to end. */
  async fill(isEnding: () => boolean): Promise<void> {
    this.#folderId = await this.#session.createFolder("wide");
    for (let number = 0; !isEnding(); number++) {
      const name = `entry-${number}`;
      await this.#session.createFolder(name, this.#folderId);
      this.#names.push(name);
      await delay(pauseMs);
    }
  }

  /** Entries that were acknowledged. */
  get count(): number {
    return this.#names.length;
  }

  /** What listing it page by page shows that is not as it was acknowledged; undefined when all is well. */
  async findFault(session: EdgeSession): Promise<string | undefined> {
    const listed: string[] = [];
    let total = 0;
    let cursor: Uint8Array = new Uint8Array();
    do {
      const page = await session.ask(({ gateway, signal }) =>
        gateway.drive.listFolder({ folderId: this.#folderId, limit: pageEntries, cursor }, { signal }),
      );
      listed.push(...page.entries.map(({ name }) => name));
      ({ cursor, totalCount: total } = page);
    } while (cursor.length > 0);
    // An entry whose answer never came, because the client was cut off, may be one more.
    const at = this.#names.findIndex((name, position) => listed[position] !== name);
    if (at >= 0) return `entry ${at} of ${this.#names.length} is ${listed[at] ?? "not there"}, ${listed.length} listed`;
    if (listed.length > this.#names.length + 1) return `${listed.length} listed, ${this.#names.length} acknowledged`;
    return total === listed.length ? undefined : `${total} counted, ${listed.length} listed`;
  }
}
