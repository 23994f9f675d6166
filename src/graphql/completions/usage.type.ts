// Owns the types of a completion's usage and cost.
import { Field, Int, ObjectType } from 'type-graphql';
import { totalTokens, type Usage } from '../../domain/billing/usage.ts';
import { UsdScalar } from '../scalars.ts';

@ObjectType('Usage', {
  description: 'Tokens by kind; each token is counted in one place only.',
  simpleResolvers: true,
})
export class UsageType {
  @Field(() => Int, { description: 'Input that was read without a cache.' })
  inputTokens!: number;

  @Field(() => Int, { description: 'Input that came from the provider’s cache.' })
  cacheReadTokens!: number;

  @Field(() => Int, { description: 'Input that was written to the provider’s cache.' })
  cacheWriteTokens!: number;

  @Field(() => Int, { description: 'Visible output, without reasoning.' })
  outputTokens!: number;

  @Field(() => Int, { description: 'Reasoning.' })
  reasoningTokens!: number;

  @Field(() => Int, { description: 'Sum of all kinds of tokens.' })
  totalTokens!: number;

  @Field(() => Boolean, {
    description:
      'True if the provider sent no final count, so that the gateway has counted with a tokenizer of its own.',
  })
  estimated!: boolean;
}

@ObjectType('CostLine', { description: 'The cost of the tokens of one kind.', simpleResolvers: true })
export class CostLineType {
  @Field(() => String, { description: 'INPUT, CACHE_READ, CACHE_WRITE, OUTPUT or REASONING.' })
  kind!: string;

  @Field(() => Int, { description: 'Tokens of this kind.' })
  tokens!: number;

  @Field(() => UsdScalar, { description: 'Price per million of them.' })
  pricePerMillion!: bigint;

  @Field(() => UsdScalar, { description: 'Their cost.' })
  cost!: bigint;
}

export function toUsageType(usage: Usage): UsageType {
  return { ...usage, totalTokens: totalTokens(usage) };
}
