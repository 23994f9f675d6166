// Owns the statements of stored secrets: which keys seal them, how they are replaced one by one, and where each may be sent.
import type { JsonObject } from '../../kernel/json.ts';
import type { Actor } from '../acting.ts';
import type { SealedSecret, SecretDestination } from '../entities/provider-config.entity.ts';
import type { SqlClient } from '../sql.ts';

/** A secret of a config; `null` if the config has none, or names a variable of the environment. */
export interface SealedRow {
  readonly id: string;
  readonly name: string;
  readonly secret: SealedSecret | null;
  readonly headers: SealedSecret | null;
}

/** The fields of a config that decide where its secrets may be sent. */
export interface BindingRow {
  readonly id: string;
  readonly version: number;
  readonly workspaceId: string;
  readonly providerKey: string;
  readonly name: string;
  readonly baseUrl: string | null;
  readonly settings: JsonObject;
  readonly secret: SealedSecret | null;
  readonly secretDestination: SecretDestination | null;
  readonly headers: SealedSecret | null;
  readonly headersDestination: SecretDestination | null;
}

export interface Destinations {
  readonly secret: SecretDestination | null;
  readonly headers: SecretDestination | null;
}

const BINDING_COLUMNS = `id, version, workspace_id as "workspaceId", provider_key as "providerKey", name, base_url as "baseUrl", settings,
  secret, secret_destination as "secretDestination", headers, headers_destination as "headersDestination"`;
const UNBOUND = {
  name: 'unbound-secrets',
  text: `select ${BINDING_COLUMNS} from provider_config
         where (secret is not null and secret_destination is null) or (headers is not null and headers_destination is null)
         order by id`,
};
const BINDINGS = {
  name: 'secret-bindings',
  text: `select ${BINDING_COLUMNS} from provider_config where workspace_id = $1 and provider_key = $2 order by id`,
};
/** Applies only if neither the config nor its binding was changed since it was read. */
const BIND = {
  name: 'bind-secrets',
  text: `with acting as materialized (
           select set_config('modelgraph.actor', $7, true), set_config('modelgraph.workspace', $8, true))
         update provider_config set secret_destination = $3::jsonb, headers_destination = $4::jsonb from acting
         where id = $1 and version = $2
           and secret_destination is not distinct from $5::jsonb and headers_destination is not distinct from $6::jsonb`,
};
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
/** Applies only if the secrets were not changed since they were read. */
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

  /** One secret for each key that seals any secret. */
  sealingKeys(): Promise<(SealedRow & { readonly key_id: string })[]> {
    return this.#sql.query(KEYS, []);
  }

  /** Secrets that are sealed by another key than this one, in the order of their ids. */
  sealedOtherwise(keyId: string, beyondId = FIRST_ID, limit = 100): Promise<SealedRow[]> {
    return this.#sql.query(SEALED_OTHERWISE, [keyId, beyondId, limit]);
  }

  /** True if `before` was still stored, so that it was replaced. */
  async reseal(
    before: SealedRow,
    after: Pick<SealedRow, 'secret' | 'headers'>,
    actor: string,
  ): Promise<boolean> {
    const rows = await this.#sql.query(RESEAL, [
      before.id,
      jsonOf(after.secret),
      jsonOf(after.headers),
      jsonOf(before.secret),
      jsonOf(before.headers),
      actor,
    ]);
    return rows.length > 0;
  }

  /** Configs with a secret that has no destination yet. */
  unbound(): Promise<BindingRow[]> {
    return this.#sql.query(UNBOUND, []);
  }

  /** The configs of a provider in a workspace. */
  bindings(workspaceId: string, providerKey: string): Promise<BindingRow[]> {
    return this.#sql.query(BINDINGS, [workspaceId, providerKey]);
  }

  async bind(row: BindingRow, next: Destinations, actor?: Actor): Promise<void> {
    await this.#sql.query(BIND, [
      row.id,
      row.version,
      jsonOf(next.secret),
      jsonOf(next.headers),
      jsonOf(row.secretDestination),
      jsonOf(row.headersDestination),
      actor?.caller ?? '',
      actor?.workspaceId ?? '',
    ]);
  }
}

function jsonOf(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
