// Owns the writing of the built-in catalogue: one call in one transaction, which writes nothing if the catalogue is up to date.
import { toRow } from '../columns.ts';
import type { SqlClient } from '../sql.ts';

export interface SeedData {
  readonly hash: string;
  readonly version: string;
  readonly providers: readonly object[];
  readonly models: readonly object[];
  readonly prices: readonly object[];
}

const SEEDED = { name: 'catalogue-seeded', text: 'select 1 from catalogue_seed where hash = $1' };
const SEED = { name: 'seed-catalogue', text: 'select seed_catalogue($1::jsonb, $2::timestamptz) as written' };

export class SeedRepository {
  readonly #sql: SqlClient;

  constructor(storage: { readonly sql: SqlClient }) {
    this.#sql = storage.sql;
  }

  async isUpToDate(hash: string): Promise<boolean> {
    return (await this.#sql.query(SEEDED, [hash])).length > 0;
  }

  /** False if another node has done it before. */
  async seed(data: SeedData, at: Date): Promise<boolean> {
    const rows = {
      ...data,
      providers: data.providers.map(toRow),
      models: data.models.map(toRow),
      prices: data.prices.map(toRow),
    };
    const [row] = await this.#sql.query<{ written: boolean }>(SEED, [JSON.stringify(rows), at.toISOString()]);
    return row?.written ?? false;
  }
}
