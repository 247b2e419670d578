// Claims as rows of `object`, and as policy sees them.
import type { NumberedClaim } from '../../ledger/admit.ts';
import type { Claim, IndicatorFacts } from '../../model/entry.ts';
import { PAP_LEVELS, type Pap, type Tlp } from '../../model/marking.ts';
import { tlpOf } from './open-markings.ts';
import type { ObjectRow } from './rows.ts';

/** What other objects say of an indicator. */
export type Explained = Pick<Claim, 'provider' | 'threats'>;

/** With whether its exchange is still configured. */
export interface ClaimRow extends ObjectRow {
  exchange_active: number;
}

/** Columns of a claim, in the order in which `claimRow` reads them. */
export const CLAIM_COLUMNS = `o.id, o.exchange_id, o.object_id, o.version, o.state, o.valid_from, o.valid_until, o.confidence,
  o.tlp, o.pap, o.benign, o.open_markings, o.refusal, o.digest, o.facts, o.unexplained, o.life_from`;

/** A claim from the CLAIM_COLUMNS that begin at `at`. */
export function claimRow(row: readonly unknown[], at: number): ObjectRow {
  // Columns and types stand side by side in the schema; SQLite itself keeps no types to check.
  return {
    id: row[at] as number,
    exchange_id: row[at + 1] as number,
    object_id: row[at + 2] as string,
    version: row[at + 3] as string,
    state: row[at + 4] as number,
    valid_from: row[at + 5] as number,
    valid_until: row[at + 6] as number | null,
    confidence: row[at + 7] as number | null,
    tlp: row[at + 8] as number | null,
    pap: row[at + 9] as number | null,
    benign: row[at + 10] as number,
    open_markings: row[at + 11] as string | null,
    refusal: row[at + 12] as string | null,
    digest: row[at + 13] as number,
    facts: row[at + 14] as string,
    unexplained: row[at + 15] as string | null,
    life_from: row[at + 16] as number | null,
  };
}

/** Sorted here: nearly every entry has one claim, and the database would set up a sort for each. */
export function newestFirst(claims: ObjectRow[]): ObjectRow[] {
  if (claims.length > 1) claims.sort((a, b) => (a.version < b.version ? 1 : a.version > b.version ? -1 : a.id - b.id));
  return claims;
}

/** A claim as policy sees it. Facts are parsed only when somebody looks, since most claims are merged unseen. */
export class StoredClaim implements NumberedClaim {
  readonly rowId: number;
  readonly exchange: string;
  readonly exchangeId: number;
  readonly objectId: string;
  readonly version: string;
  readonly digest: number;
  readonly validFrom: number;
  readonly benign: boolean;
  // Always set: objects of one shape are read twice as fast.
  readonly validUntil: number | undefined;
  readonly lifeFrom: number | undefined;
  readonly unexplained: string | undefined;
  readonly confidence: number | undefined;
  readonly tlp: Tlp | undefined;
  readonly pap: Pap | undefined;
  provider: string | undefined;
  threats: readonly string[] | undefined;
  readonly #text: string;
  #facts: IndicatorFacts | undefined;

  constructor(row: ObjectRow, exchange: string) {
    this.rowId = row.id;
    this.exchange = exchange;
    this.exchangeId = row.exchange_id;
    this.objectId = row.object_id;
    this.version = row.version;
    this.digest = row.digest;
    this.validFrom = row.valid_from;
    this.benign = row.benign === 1;
    this.validUntil = row.valid_until ?? undefined;
    this.lifeFrom = row.life_from ?? undefined;
    this.unexplained = row.unexplained ?? undefined;
    this.confidence = row.confidence ?? undefined;
    this.tlp = tlpOf(row);
    this.pap = row.pap === null ? undefined : PAP_LEVELS[row.pap]!;
    this.provider = undefined;
    this.threats = undefined;
    this.#text = row.facts;
    this.#facts = undefined;
  }

  explain({ provider, threats }: Explained): void {
    this.provider = provider;
    this.threats = threats;
  }

  get factsText(): string {
    return this.#text;
  }

  get facts(): IndicatorFacts {
    this.#facts ??= JSON.parse(this.#text) as IndicatorFacts;
    return this.#facts;
  }
}

export function toClaim(row: ObjectRow, exchange: string): NumberedClaim {
  return new StoredClaim(row, exchange);
}
