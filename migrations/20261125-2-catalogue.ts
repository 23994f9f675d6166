// Owns the catalogue: specs, configs, models, instances and prices (a null `workspace_id` marks an installation row), and facts that providers were asked for.
import type { Migration } from './migration.ts';

export const catalogue: Migration = {
  name: '20261125-2-catalogue',
  statements: [
    `
      create table provider_spec (
        id uuid primary key,
        workspace_id uuid references workspace (id),
        key text not null check (key ~ '^[a-z0-9._-]{1,64}$'),
        display_name text not null,
        description text,
        category text,
        protocol text,
        unservable_reason text,
        base_url text,
        auth jsonb not null default '{"type":"none"}',
        settings_schema jsonb not null default '{"type":"object"}',
        quirks jsonb not null default '{}',
        env_vars jsonb not null default '{}',
        docs_url text,
        has_model_list boolean,
        free boolean not null default false,
        default_model text,
        enabled boolean not null default true,
        origin text not null default 'CUSTOM' check (origin in ('BUILT_IN', 'SYNC', 'CUSTOM')),
        edited_fields text[] not null default '{}',
        sources text[] not null default '{}',
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint provider_spec_key_unique unique nulls not distinct (workspace_id, key)
      )`,
    `
      create table provider_config (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        provider_key text not null,
        name text not null,
        base_url text,
        secret jsonb,
        secret_hint text,
        headers jsonb,
        settings jsonb not null default '{}',
        time_limits jsonb not null default '{}',
        enabled boolean not null default true,
        origin text not null default 'CUSTOM' check (origin in ('BUILT_IN', 'ENVIRONMENT', 'CUSTOM')),
        health text not null default 'UNKNOWN' check (health in ('UNKNOWN', 'HEALTHY', 'UNHEALTHY')),
        health_error jsonb,
        health_latency_ms int,
        health_checked_at timestamptz,
        last_sync_at timestamptz,
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        health_fault text,
        retry_policy jsonb not null default '{}',
        secret_destination jsonb,
        headers_destination jsonb,
        constraint provider_config_name_unique unique (workspace_id, name)
      )`,
    `
      create table model_spec (
        id uuid primary key,
        workspace_id uuid references workspace (id),
        provider_key text not null,
        key text not null,
        canonical_id text not null generated always as (provider_key || '/' || key) stored,
        display_name text not null,
        description text,
        context_length int,
        max_output_tokens int,
        input_modalities text[] not null default '{text}',
        output_modalities text[] not null default '{text}',
        capabilities text[] not null default '{}',
        tags text[] not null default '{}',
        strengths text[] not null default '{}',
        weaknesses text[] not null default '{}',
        protocol text,
        quirks jsonb not null default '{}',
        available boolean not null default true,
        origin text not null default 'CUSTOM' check (origin in ('BUILT_IN', 'SYNC', 'CUSTOM')),
        edited_fields text[] not null default '{}',
        released_at date,
        custom_fields jsonb not null default '{}',
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint model_spec_canonical_id_unique unique nulls not distinct (workspace_id, canonical_id)
      )`,
    'create index model_spec_provider on model_spec (provider_key, key)',
    `
      create table price_version (
        id uuid primary key,
        workspace_id uuid references workspace (id),
        canonical_id text not null,
        input_nano_per_million bigint not null check (input_nano_per_million >= 0),
        output_nano_per_million bigint not null check (output_nano_per_million >= 0),
        cache_read_nano_per_million bigint check (cache_read_nano_per_million >= 0),
        cache_write_nano_per_million bigint check (cache_write_nano_per_million >= 0),
        reasoning_nano_per_million bigint check (reasoning_nano_per_million >= 0),
        tiers jsonb not null default '[]',
        source text not null,
        effective_at timestamptz not null,
        created_at timestamptz not null default now(),
        constraint price_version_unique unique nulls not distinct (workspace_id, canonical_id, effective_at)
      )`,
    'create index price_version_model on price_version (canonical_id, effective_at desc)',
    `
      create table model_instance (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        slug text not null check (slug ~ '^[a-z0-9._-]{1,128}$' and slug <> 'auto'),
        display_name text not null,
        config_id uuid not null references provider_config (id),
        canonical_id text not null,
        priority int not null default 0,
        weight int not null default 1 check (weight >= 0),
        tags text[] not null default '{}',
        default_parameters jsonb not null default '{}',
        custom_fields jsonb not null default '{}',
        time_limits jsonb not null default '{}',
        free boolean,
        enabled boolean not null default true,
        origin text not null default 'CUSTOM' check (origin in ('BUILT_IN', 'ENVIRONMENT', 'CUSTOM')),
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        retry_policy jsonb not null default '{}',
        constraint model_instance_slug_unique unique (workspace_id, slug)
      )`,
    'create index model_instance_config on model_instance (config_id)',
    'create index model_instance_model on model_instance (workspace_id, canonical_id)',
    `
      create table model_sync (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        config_id uuid not null references provider_config (id) on delete cascade,
        status text not null check (status in ('RUNNING', 'FINISHED', 'FAILED')),
        phase text not null check (phase in ('LISTING', 'COMPARING', 'WRITING', 'DONE')),
        source text check (source in ('PROVIDER', 'CATALOGUE')),
        listed int not null default 0,
        added text[] not null default '{}',
        updated text[] not null default '{}',
        withdrawn text[] not null default '{}',
        kept int not null default 0,
        error jsonb,
        started_at timestamptz not null,
        ended_at timestamptz
      )`,
    // One sync of a config at a time on all nodes; a sync whose node has died may be taken over after a while.
    "create unique index model_sync_one_at_a_time on model_sync (config_id) where status = 'RUNNING'",
    'create index model_sync_list on model_sync (config_id, started_at desc)',
    // The models that each credential can see.
    `
      create table config_model (
        config_id uuid not null references provider_config (id) on delete cascade,
        canonical_id text not null,
        seen_at timestamptz not null,
        primary key (config_id, canonical_id)
      )`,
    `
      create table catalogue_refresh (
        id boolean primary key default true check (id),
        started_at timestamptz
      )`,
    'insert into catalogue_refresh default values',
    // Names the data from which the built-in rows were last made.
    `
      create table catalogue_seed (
        id boolean primary key default true check (id),
        hash text not null,
        version text not null,
        seeded_at timestamptz not null
      )`,
  ],
};
