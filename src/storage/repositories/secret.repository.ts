// Owns the statements of sealed secrets as such: which keys seal them, and their replacement one by one.
import type { SealedSecret } from '../entities/provider-config.entity.ts';
import type { SqlClient } from '../sql.ts';

/** A secret of a config; `null` where it has none, or refers to the environment. */
export interface SealedRow {
  readonly id: string;
  readonly name: string;
  readonly secret: SealedSecret | null;
  readonly headers: SealedSecret | null;
}

const KEYS = {
  name: 'sealing-keys',
  text: `select distinct on (key_id) key_id, id, name, secret, headers from (
           select secret->>'keyId' as key_id, id, name, secret, null::jsonb as headers from provider_config
           union all
           select headers->>'keyId', id, name, null, headers from provider_config) sealed
         where key_id is not null order by key_id, id`,
};
const SEALED_OTHERWISE = {
  name: 'sealed-otherwise',
  text: `select id, name, secret, headers from provider_config
         where id > $2::uuid and (secret->>'keyId' <> $1 or headers->>'keyId' <> $1) order by id limit $3`,
};
/** Only if nobody has changed them meanwhile. */
const RESEAL = {
  name: 'reseal',
  text: `with acting as materialized (
           select set_config('modelgraph.actor', $6, true), set_config('modelgraph.resealing', 'on', true))
         update provider_config set secret = $2::jsonb, headers = $3::jsonb from acting
         where id = $1 and secret is not distinct from $4::jsonb and headers is not distinct from $5::jsonb
         returning id`,
};
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export class SecretRepository {
  readonly #sql: SqlClient;

  constructor(storage: { readonly sql: SqlClient }) {
    this.#sql = storage.sql;
  }

  /** One secret for each key that seals any. */
  sealingKeys(): Promise<(SealedRow & { readonly key_id: string })[]> {
    return this.#sql.query(KEYS, []);
  }

  /** Those that another key than this seals, in the order of their ids. */
  sealedOtherwise(keyId: string, beyondId = FIRST_ID, limit = 100): Promise<SealedRow[]> {
    return this.#sql.query(SEALED_OTHERWISE, [keyId, beyondId, limit]);
  }

  /** Whether `before` was still what was stored. */
  async reseal(
    before: SealedRow,
    after: Pick<SealedRow, 'secret' | 'headers'>,
    actor: string,
  ): Promise<boolean> {
    const text = (value: SealedSecret | null) => (value === null ? null : JSON.stringify(value));
    const rows = await this.#sql.query(RESEAL, [
      before.id,
      text(after.secret),
      text(after.headers),
      text(before.secret),
      text(before.headers),
      actor,
    ]);
    return rows.length > 0;
  }
}
