// Owns `seed_catalogue`: it brings the built-in catalogue up to date with the data of the build. Its text is made from one list of columns.
import type { DatabaseFunction } from './database-function.ts';

/** Columns that the data fills, with their SQL types. */
type Columns = Readonly<Record<string, string>>;

const PROVIDER_COLUMNS: Columns = {
  display_name: 'text',
  description: 'text',
  category: 'text',
  protocol: 'text',
  unservable_reason: 'text',
  base_url: 'text',
  auth: 'jsonb',
  settings_schema: 'jsonb',
  quirks: 'jsonb',
  env_vars: 'jsonb',
  docs_url: 'text',
  has_model_list: 'boolean',
  free: 'boolean',
  default_model: 'text',
  sources: 'text[]',
};

const MODEL_COLUMNS: Columns = {
  display_name: 'text',
  description: 'text',
  context_length: 'int',
  max_output_tokens: 'int',
  input_modalities: 'text[]',
  output_modalities: 'text[]',
  capabilities: 'text[]',
  tags: 'text[]',
  strengths: 'text[]',
  weaknesses: 'text[]',
  protocol: 'text',
  quirks: 'jsonb',
  available: 'boolean',
  released_at: 'date',
};

/** Columns that identify a row. */
const NAMES: Readonly<Record<string, Columns>> = {
  provider_spec: { key: 'text' },
  model_spec: { provider_key: 'text', key: 'text' },
};

const WITHDRAW = `
  update model_spec old set available = false, version = old.version + 1, updated_at = at
  where old.workspace_id is null and old.origin = 'BUILT_IN' and old.available
    and not 'available' = any(old.edited_fields)
    and old.canonical_id not in (
      select (item->>'provider_key') || '/' || (item->>'key') from jsonb_array_elements(data->'models') item)`;

/** A price is added if it differs from the latest one, unless an administrator has set that price or made the model's row. */
const ADD_PRICES = `
  insert into price_version (id, workspace_id, canonical_id, input_nano_per_million, output_nano_per_million,
    cache_read_nano_per_million, cache_write_nano_per_million, tiers, source, effective_at, created_at)
  select item.id, null, item.canonical_id, item.input, item.output, item.cache_read, item.cache_write, item.tiers,
    'catalogue ' || (data->>'version'), at, at
  from jsonb_to_recordset(data->'prices') as item (
    id uuid, canonical_id text, input bigint, output bigint, cache_read bigint, cache_write bigint, tiers jsonb)
  join model_spec model on model.workspace_id is null and model.origin = 'BUILT_IN'
    and model.canonical_id = item.canonical_id
  left join lateral (
    select * from price_version price
    where price.workspace_id is null and price.canonical_id = item.canonical_id
    order by price.effective_at desc limit 1
  ) latest on true
  where latest.id is null or (latest.source like 'catalogue %' and latest.effective_at < at and (
    (latest.input_nano_per_million, latest.output_nano_per_million, latest.cache_read_nano_per_million,
      latest.cache_write_nano_per_million, latest.tiers)
    is distinct from (item.input, item.output, item.cache_read, item.cache_write, item.tiers)))`;

export const seedCatalogue: DatabaseFunction = {
  name: 'seed_catalogue',
  version: 1,
  text: `
    create or replace function seed_catalogue(data jsonb, at timestamptz) returns boolean language plpgsql as $$
    begin
      -- Two nodes may start at once; the second finds the first one's work done.
      perform pg_advisory_xact_lock(7236118402);
      if exists (select 1 from catalogue_seed where hash = data->>'hash') then return false; end if;
      ${addMissing('provider_spec', 'providers', 'key', PROVIDER_COLUMNS)};
      ${mendChanged('provider_spec', 'providers', 'key', PROVIDER_COLUMNS)};
      ${addMissing('model_spec', 'models', 'canonical_id', MODEL_COLUMNS)};
      ${mendChanged('model_spec', 'models', 'canonical_id', MODEL_COLUMNS)};
      ${WITHDRAW};
      ${ADD_PRICES};
      insert into catalogue_seed (hash, version, seeded_at) values (data->>'hash', data->>'version', at)
      on conflict (id) do update set hash = excluded.hash, version = excluded.version, seeded_at = excluded.seeded_at;
      return true;
    end $$`,
};

function recordset(table: string, list: string, columns: Columns): string {
  const all = { id: 'uuid', ...NAMES[table], ...columns };
  const declared = Object.entries(all).map(([name, type]) => `${name} ${type}`);
  return `jsonb_to_recordset(data->'${list}') as item (${declared.join(', ')})`;
}

function nameOfItem(table: string): string {
  return table === 'model_spec' ? "item.provider_key || '/' || item.key" : 'item.key';
}

function addMissing(table: string, list: string, name: string, columns: Columns): string {
  const names = ['id', ...Object.keys(NAMES[table] ?? {}), ...Object.keys(columns)];
  return `
    insert into ${table} (${names.join(', ')}, origin, created_at, updated_at)
    select ${names.map((column) => `item.${column}`).join(', ')}, 'BUILT_IN', at, at
    from ${recordset(table, list, columns)}
    where not exists (
      select 1 from ${table} old where old.workspace_id is null and old.${name} = ${nameOfItem(table)})`;
}

/** A field that a person has edited stays; a row without any other difference is not written. */
function mendChanged(table: string, list: string, name: string, columns: Columns): string {
  const names = Object.keys(columns);
  const kept = (column: string) => `'${camelCase(column)}' = any(old.edited_fields)`;
  const merged = names.map(
    (column) => `${column} = case when ${kept(column)} then old.${column} else item.${column} end`,
  );
  const differs = names.map(
    (column) => `(old.${column} is distinct from item.${column} and not ${kept(column)})`,
  );
  return `
    update ${table} old set ${merged.join(', ')}, version = old.version + 1, updated_at = at
    from ${recordset(table, list, columns)}
    where old.workspace_id is null and old.origin = 'BUILT_IN' and old.${name} = ${nameOfItem(table)}
      and (${differs.join(' or ')})`;
}

function camelCase(column: string): string {
  return column.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}
