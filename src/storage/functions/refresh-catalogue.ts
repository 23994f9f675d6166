// Owns `refresh_catalogue`: bringing the installation’s models and prices up to date from a public list.
import type { DatabaseFunction } from './database-function.ts';

/**
 * Adds models and updates limits and prices of the installation's rows. It never withdraws a model, and leaves fields alone that a person has edited or
 * priced.
 */
export const refreshCatalogue: DatabaseFunction = {
  name: 'refresh_catalogue',
  version: 1,
  text: `
    create or replace function refresh_catalogue(list_name text, items jsonb, at timestamptz)
    returns table (added text[], updated text[], priced text[])
    language plpgsql as $$
    begin
      create temp table listed on commit drop as
      select item.*, item.provider_key || '/' || item.key as canonical_id
      from jsonb_to_recordset(items) as item (
        id uuid, price_id uuid, provider_key text, key text, display_name text, context_length int, max_output_tokens int,
        input_modalities text[], output_modalities text[], capabilities text[], released_at date,
        input bigint, output bigint, cache_read bigint, cache_write bigint, tiers jsonb)
      join provider_spec provider on provider.workspace_id is null and provider.key = item.provider_key
        and provider.protocol is not null;

      with inserted as (
        insert into model_spec (id, provider_key, key, display_name, context_length, max_output_tokens, input_modalities,
          output_modalities, capabilities, released_at, origin, created_at, updated_at)
        select listed.id, provider_key, key, display_name, context_length, max_output_tokens, input_modalities,
          output_modalities, capabilities, released_at, 'SYNC', at, at
        from listed
        where not exists (
          select 1 from model_spec old where old.workspace_id is null and old.canonical_id = listed.canonical_id)
        returning model_spec.canonical_id
      ) select coalesce(array_agg(inserted.canonical_id order by 1), '{}') into added from inserted;

      with mended as (
        update model_spec old set
          context_length = case when 'contextLength' = any(old.edited_fields) then old.context_length
            else coalesce(listed.context_length, old.context_length) end,
          max_output_tokens = case when 'maxOutputTokens' = any(old.edited_fields) then old.max_output_tokens
            else coalesce(listed.max_output_tokens, old.max_output_tokens) end,
          version = old.version + 1, updated_at = at
        from listed
        where old.workspace_id is null and old.origin <> 'CUSTOM' and old.canonical_id = listed.canonical_id
          and ((listed.context_length <> coalesce(old.context_length, 0) and not 'contextLength' = any(old.edited_fields))
            or (listed.max_output_tokens <> coalesce(old.max_output_tokens, 0)
              and not 'maxOutputTokens' = any(old.edited_fields)))
        returning old.canonical_id
      ) select coalesce(array_agg(mended.canonical_id order by 1), '{}') into updated from mended;

      with versions as (
        insert into price_version (id, workspace_id, canonical_id, input_nano_per_million, output_nano_per_million,
          cache_read_nano_per_million, cache_write_nano_per_million, tiers, source, effective_at, created_at)
        select listed.price_id, null, listed.canonical_id, listed.input, listed.output, listed.cache_read,
          listed.cache_write, listed.tiers, list_name || ' ' || to_char(at at time zone 'UTC', 'YYYY-MM-DD'), at, at
        from listed
        join model_spec model on model.workspace_id is null and model.origin <> 'CUSTOM'
          and model.canonical_id = listed.canonical_id
        left join lateral (
          select * from price_version price
          where price.workspace_id is null and price.canonical_id = listed.canonical_id
          order by price.effective_at desc limit 1
        ) latest on true
        where listed.input is not null and listed.output is not null
          and (latest.id is null or (latest.effective_at < at
            and (latest.source like 'catalogue %' or latest.source like 'models.dev %' or latest.source like 'openrouter %')
            and (latest.input_nano_per_million, latest.output_nano_per_million,
              coalesce(latest.cache_read_nano_per_million, latest.input_nano_per_million),
              coalesce(latest.cache_write_nano_per_million, latest.input_nano_per_million), latest.tiers)
            is distinct from (listed.input, listed.output, coalesce(listed.cache_read, listed.input),
              coalesce(listed.cache_write, listed.input), listed.tiers)))
        returning canonical_id
      ) select coalesce(array_agg(versions.canonical_id order by 1), '{}') into priced from versions;
      drop table listed;
      return next;
    end $$`,
};
