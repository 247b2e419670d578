// How much the tables grew that this connection writes to. The server knows nothing of a table that grows until it looks at
// it, a minute later at best; until then it would search for the keys of a set by their exchange alone, row after row.

/** A table that got so many rows is looked at, and again whenever it got as many as before. */
const WORTH_A_LOOK = 500;

export class Growth {
  readonly #tables = new Map<string, { rows: number; lookAt: number }>();

  grew(table: string, by: number): void {
    const grown = this.#tables.get(table);
    if (grown === undefined) this.#tables.set(table, { rows: by, lookAt: WORTH_A_LOOK });
    else grown.rows += by;
  }

  /** Tables that are to be looked at now. */
  due(): string[] {
    const tables: string[] = [];
    for (const [table, grown] of this.#tables) {
      if (grown.rows < grown.lookAt) continue;
      grown.lookAt = 2 * grown.rows;
      tables.push(table);
    }
    return tables;
  }
}
