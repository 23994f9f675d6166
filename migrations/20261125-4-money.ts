// Owns the tables of money: accounts, the append-only ledger, budgets with what they are charged, and holds.
import type { Migration } from './migration.ts';

export const money: Migration = {
  name: '20261125-4-money',
  statements: [
    `
      create table account (
        workspace_id uuid primary key references workspace (id),
        balance_nano bigint not null default 0,
        reserved_nano bigint not null default 0 check (reserved_nano >= 0),
        updated_at timestamptz not null default now()
      ) with (fillfactor = 50)`,
    `
      create table ledger_entry (
        id bigint generated always as identity primary key,
        workspace_id uuid not null references workspace (id),
        kind text not null check (kind in ('CREDIT', 'ADJUSTMENT', 'CHARGE')),
        amount_nano bigint not null,
        balance_nano bigint not null,
        run_id uuid unique,
        description text not null default '',
        idempotency_key text,
        created_by text not null,
        created_at timestamptz not null default now(),
        unique (workspace_id, idempotency_key)
      )`,
    'create index ledger_entry_list on ledger_entry (workspace_id, id desc)',
    `
      create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
      for each statement execute function refuse_change()`,
    `
      create table budget (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        caller text,
        period text not null check (period in ('DAY', 'WEEK', 'MONTH', 'TOTAL')),
        limit_nano bigint not null check (limit_nano >= 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique nulls not distinct (workspace_id, caller, period)
      )`,
    // Cached sums of `budget_charge`, as balances are cached sums of the ledger.
    `
      create table budget_use (
        budget_id uuid not null references budget (id) on delete cascade,
        period_start timestamptz not null,
        spent_nano bigint not null default 0,
        reserved_nano bigint not null default 0 check (reserved_nano >= 0),
        primary key (budget_id, period_start)
      ) with (fillfactor = 50)`,
    // No foreign key here: checking it would wait for a transaction that deletes the budget, which waits for settlements in turn.
    // One charge without a run stands for all charges before this table existed.
    `
      create table budget_charge (
        budget_id uuid not null,
        period_start timestamptz not null,
        run_id uuid,
        amount_nano bigint not null,
        unique nulls not distinct (budget_id, period_start, run_id)
      )`,
    `
      create trigger budget_charge_append_only before update or delete or truncate on budget_charge
      for each statement execute function refuse_change()`,
    `
      create table hold (
        run_id uuid primary key,
        workspace_id uuid not null references workspace (id),
        amount_nano bigint not null check (amount_nano >= 0),
        on_account boolean not null,
        budget_ids uuid[] not null default '{}',
        period_starts timestamptz[] not null default '{}',
        created_at timestamptz not null default now()
      )`,
  ],
};
