// Owns the inputs of accounts and budgets.
import { Field, ID, InputType } from 'type-graphql';
import { UsdScalar } from '../scalars.ts';
import { BudgetPeriodType } from './account.type.ts';

@InputType({ description: 'Money to book on an account.' })
export class BookInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Id of the workspace whose account is booked on. Default: yours.',
  })
  workspaceId?: string | null;

  @Field(() => UsdScalar, { description: 'The amount, at most 1,000,000; an adjustment may be negative.' })
  amount!: bigint;

  @Field(() => String, { description: 'The reason, e.g. the number of an invoice.' })
  description!: string;

  @Field(() => String, {
    description: 'Names the booking: a request that is sent again with the same key books nothing more.',
  })
  idempotencyKey!: string;
}

@InputType({ description: 'A limit on spending: of a key, of a member, or of the whole workspace.' })
export class SetBudgetInput {
  @Field(() => ID, { nullable: true, description: 'Id of the API key that it limits.' })
  apiKeyId?: string | null;

  @Field(() => String, { nullable: true, description: 'The JWT subject that it limits.' })
  subject?: string | null;

  @Field(() => BudgetPeriodType, {
    description: 'The length of a period. A caller has at most one budget for each length.',
  })
  period!: BudgetPeriodType;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'How much may be spent in each period; null removes the budget.',
  })
  limit?: bigint | null;
}
