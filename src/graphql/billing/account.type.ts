// Owns how accounts, ledger entries and budgets are shown.
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { AccountState, BudgetState, LedgerEntryRow } from '../../domain/billing/account-service.ts';
import { connectionOf } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { DateTimeScalar, UsdScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';

export enum LedgerEntryKindType {
  CREDIT = 'CREDIT',
  ADJUSTMENT = 'ADJUSTMENT',
  CHARGE = 'CHARGE',
}
registerEnumType(LedgerEntryKindType, {
  name: 'LedgerEntryKind',
  description: 'What moved money.',
  valuesConfig: {
    CREDIT: { description: 'Money was added.' },
    ADJUSTMENT: { description: 'An administrator corrected the balance, up or down.' },
    CHARGE: { description: 'A completion was charged.' },
  },
});

export enum BudgetPeriodType {
  DAY = 'DAY',
  WEEK = 'WEEK',
  MONTH = 'MONTH',
  TOTAL = 'TOTAL',
}
registerEnumType(BudgetPeriodType, {
  name: 'BudgetPeriod',
  description: 'Calendar periods in UTC; a completion belongs to the one in which it began.',
  valuesConfig: {
    DAY: { description: 'From midnight.' },
    WEEK: { description: 'From Monday.' },
    MONTH: { description: 'From the first day of the month.' },
    TOTAL: { description: 'One period without end.' },
  },
});

@ObjectType('LedgerEntry', {
  description: 'One movement of money. Entries are never changed or deleted.',
  simpleResolvers: true,
})
export class LedgerEntryType {
  @Field(() => ID, { description: 'Id of the entry; it grows with each one.' })
  id!: string;

  @Field(() => LedgerEntryKindType, { description: 'What moved the money.' })
  kind!: LedgerEntryKindType;

  @Field(() => UsdScalar, { description: 'The amount added; a charge is negative.' })
  amount!: bigint;

  @Field(() => UsdScalar, { description: 'The balance after it.' })
  balance!: bigint;

  @Field(() => ID, { nullable: true, description: 'Id of the completion that was charged.' })
  completionId!: string | null;

  @Field(() => String, { description: 'The reason; empty for a charge.' })
  description!: string;

  @Field(() => String, { description: 'Who moved it: `key:<id>` or `sub:<subject>`.' })
  createdBy!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  createdAt!: Date;
}

@ObjectType('Budget', {
  description: 'A limit on the money that may be spent in each period.',
  simpleResolvers: true,
})
export class BudgetType {
  @Field(() => String, {
    nullable: true,
    description: 'The caller that it limits: `key:<id>` or `sub:<subject>`; null: the whole workspace.',
  })
  caller!: string | null;

  @Field(() => BudgetPeriodType, { description: 'The length of a period.' })
  period!: BudgetPeriodType;

  @Field(() => UsdScalar, { description: 'How much may be spent in each period.' })
  limit!: bigint;

  @Field(() => DateTimeScalar, { description: 'When the present period began.' })
  periodStart!: Date;

  @Field(() => UsdScalar, { description: 'What was spent in the present period.' })
  spent!: bigint;

  @Field(() => UsdScalar, {
    description: 'The sum that is held for completions under way, and released or charged when they end.',
  })
  reserved!: bigint;

  @Field(() => UsdScalar, {
    description: 'The rest of the present period; negative if a completion cost more than was held for it.',
  })
  remaining!: bigint;
}

@ObjectType('Account', {
  description: 'The money of a workspace. Completions are charged to it if the operator has set BILLING=on.',
  simpleResolvers: true,
})
export class AccountType {
  @Field(() => ID, { description: 'Id of the workspace.' })
  workspaceId!: string;

  @Field(() => UsdScalar, { description: 'The sum of all entries.' })
  balance!: bigint;

  @Field(() => UsdScalar, {
    description: 'The sum that is held for completions under way, and released or charged when they end.',
  })
  reserved!: bigint;

  @Field(() => UsdScalar, {
    description: 'The balance minus `reserved`: what new completions may still use.',
  })
  available!: bigint;

  @Field(() => Boolean, { description: 'Whether completions are charged to it.' })
  billing!: boolean;
}

export const LedgerEntryConnection = connectionOf(() => LedgerEntryType, 'LedgerEntry');

@ObjectType('LedgerEntryPayload', { description: 'What was booked.', simpleResolvers: true })
export class LedgerEntryPayload {
  @Field(() => LedgerEntryType, { nullable: true, description: 'The entry; null if there are `userErrors`.' })
  entry!: LedgerEntryType | null;

  @Field(() => AccountType, { nullable: true, description: 'The account as it is now.' })
  account!: AccountType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

@ObjectType('BudgetPayload', { description: 'A budget.', simpleResolvers: true })
export class BudgetPayload {
  @Field(() => BudgetType, {
    nullable: true,
    description: 'The budget; null if it was removed, or there are `userErrors`.',
  })
  budget!: BudgetType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toAccountType(account: AccountState, billing: boolean): AccountType {
  const { workspaceId, balanceNano, reservedNano } = account;
  return {
    workspaceId: toGlobalId('Workspace', workspaceId),
    balance: balanceNano,
    reserved: reservedNano,
    available: balanceNano - reservedNano,
    billing,
  };
}

export function toLedgerEntryType(row: LedgerEntryRow): LedgerEntryType {
  const { id, kind, amountNano, balanceNano, runId, description, createdBy, createdAt } = row;
  return {
    id,
    kind: kind as LedgerEntryKindType,
    amount: amountNano,
    balance: balanceNano,
    completionId: runId ? toGlobalId('Completion', runId) : null,
    description,
    createdBy,
    createdAt,
  };
}

export function toBudgetType({ budget, periodStart, spentNano, reservedNano }: BudgetState): BudgetType {
  const { caller, period, limitNano } = budget;
  return {
    caller: caller ?? null,
    period: period as BudgetPeriodType,
    limit: limitNano,
    periodStart,
    spent: spentNano,
    reserved: reservedNano,
    remaining: limitNano - spentNano - reservedNano,
  };
}
