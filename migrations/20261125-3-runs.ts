// Owns the tables of completion runs, their attempts, idempotency keys, and the leases of nodes.
import type { Migration } from './migration.ts';

export const runs: Migration = {
  name: '20261125-3-runs',
  statements: [
    `
      create table node_lease (
        node_id uuid primary key,
        started_at timestamptz not null default now(),
        renewed_at timestamptz not null default now()
      )`,
    `
      create table completion_run (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        caller text not null,
        request_id text,
        status text not null check (status in ('RUNNING', 'FINISHED', 'FAILED', 'CANCELLED', 'INTERRUPTED')),
        model text not null,
        input jsonb not null,
        plan jsonb not null,
        metadata jsonb not null default '{}',
        on_detach text not null default 'CONTINUE' check (on_detach in ('CONTINUE', 'CANCEL')),
        node_id uuid not null,
        epoch int not null default 1,
        cancel_requested_at timestamptz,
        instance_id uuid,
        canonical_id text,
        text text not null default '',
        reasoning text not null default '',
        tool_calls jsonb not null default '[]',
        finish_reason text,
        provider_finish_reason text,
        input_tokens int not null default 0,
        cache_read_tokens int not null default 0,
        cache_write_tokens int not null default 0,
        output_tokens int not null default 0,
        reasoning_tokens int not null default 0,
        usage_estimated boolean not null default false,
        cost_nano bigint,
        cost_lines jsonb,
        price_version_id uuid,
        warnings jsonb not null default '[]',
        error jsonb,
        continuation text,
        progress_seq int not null default 0,
        last_seq int,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        ended_at timestamptz,
        content_removed_at timestamptz
      )`,
    'create index completion_run_list on completion_run (workspace_id, id desc)',
    // An index of running runs only; statements about single runs use the primary key instead.
    'create index completion_run_going_on on completion_run (node_id) where ended_at is null',
    // For the removal of content that is older than its workspace keeps it.
    `
      create index completion_run_content on completion_run (workspace_id, ended_at)
      where content_removed_at is null and ended_at is not null`,
    `
      create table run_attempt (
        run_id uuid not null references completion_run (id) on delete cascade,
        number int not null,
        instance_id uuid,
        config_id uuid not null,
        canonical_id text not null,
        outcome text not null,
        error jsonb,
        served_model text,
        provider_request_id text,
        started_at timestamptz not null,
        first_token_ms int,
        duration_ms int not null,
        input_tokens int not null default 0,
        cache_read_tokens int not null default 0,
        cache_write_tokens int not null default 0,
        output_tokens int not null default 0,
        reasoning_tokens int not null default 0,
        usage_estimated boolean not null default false,
        cost_nano bigint,
        absorbed boolean not null default false,
        primary key (run_id, number)
      )`,
    'create index run_attempt_figures on run_attempt (canonical_id, started_at)',
    `
      create table idempotency_key (
        workspace_id uuid not null references workspace (id),
        caller text not null,
        key text not null,
        run_id uuid not null,
        input_hash text not null,
        expires_at timestamptz not null,
        primary key (workspace_id, caller, key)
      )`,
    'create index idempotency_key_expiry on idempotency_key (expires_at)',
  ],
};
