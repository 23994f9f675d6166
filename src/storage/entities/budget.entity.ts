// Owns the mapping of budgets: how much a caller, or a whole workspace, may spend in a calendar period.
import { defineEntity, p } from '@mikro-orm/core';

export type BudgetPeriod = 'DAY' | 'WEEK' | 'MONTH' | 'TOTAL';

const BudgetSchema = defineEntity({
  name: 'Budget',
  tableName: 'budget',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    /** `null`: the whole workspace. */
    caller: p.text().nullable(),
    period: p.text().$type<BudgetPeriod>(),
    limitNano: p.bigint('bigint'),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class BudgetEntity extends BudgetSchema.class {}
BudgetSchema.setClass(BudgetEntity);
