// Owns the inputs of accounts and budgets.
import { Field, ID, InputType } from 'type-graphql';
import { UsdScalar } from '../scalars.ts';
import { BudgetPeriodType } from './account.type.ts';

@InputType({ description: 'Money to book on an account.' })
export class BookInput {
  @Field(() => ID, { nullable: true, description: 'Whose account. Default: that of your workspace.' })
  workspaceId?: string | null;

  @Field(() => UsdScalar, { description: 'How much, up to 1,000,000; an adjustment may be negative.' })
  amount!: bigint;

  @Field(() => String, { description: 'Why, in words, e.g. the number of an invoice.' })
  description!: string;

  @Field(() => String, { description: 'The same key books once, however often it is sent.' })
  idempotencyKey!: string;
}

@InputType({ description: 'How much may be spent: by a key, by a member, or by the whole workspace.' })
export class SetBudgetInput {
  @Field(() => ID, { nullable: true, description: 'The key that it bounds.' })
  apiKeyId?: string | null;

  @Field(() => String, { nullable: true, description: 'The JWT subject that it bounds.' })
  subject?: string | null;

  @Field(() => BudgetPeriodType, { description: 'How long it lasts; one budget for each.' })
  period!: BudgetPeriodType;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'How much in each period; null removes the budget.',
  })
  limit?: bigint | null;
}
