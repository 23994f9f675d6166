// Owns the types of prices and the input that sets them.
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Price } from '../../domain/billing/cost.ts';
import type { PriceFields } from '../../domain/catalogue/price-service.ts';
import type { PriceRow } from '../../domain/catalogue/snapshot.ts';
import { toGlobalId } from '../global-id.ts';
import { withoutNulls } from '../input-values.ts';
import { DateTimeScalar, UsdScalar } from '../scalars.ts';
import { RowOwnerKind } from './catalogue.enums.ts';

@ObjectType('PriceTier', {
  description:
    'Prices for requests whose input is larger than a bound, per million tokens. They apply to the whole request.',
  simpleResolvers: true,
})
export class PriceTierType {
  @Field(() => Int, { description: 'The tier applies above this number of input tokens.' })
  aboveInputTokens!: number;

  @Field(() => UsdScalar, { description: 'Input that was read without a cache.' })
  input!: bigint;

  @Field(() => UsdScalar, { description: 'Output, reasoning included.' })
  output!: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Input read from the cache; null: the price of `input`.',
  })
  cacheRead!: bigint | null;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Input written to the cache; null: the price of `input`.',
  })
  cacheWrite!: bigint | null;
}

@ObjectType('PriceVersion', {
  description:
    'Prices in dollars per million tokens that apply from a given moment. A completion keeps the version that it was charged with.',
  simpleResolvers: true,
})
export class PriceVersionType {
  @Field(() => ID, {
    nullable: true,
    description:
      'Id of the version, to which a completion’s cost refers. Null for a price that comes from the price library that is part of Modelgraph.',
  })
  id!: string | null;

  @Field(() => UsdScalar, { description: 'Input that was read without a cache.' })
  input!: bigint;

  @Field(() => UsdScalar, { description: 'Visible output.' })
  output!: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Input read from the cache; null: the price of `input`.',
  })
  cacheRead!: bigint | null;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Input written to the cache; null: the price of `input`.',
  })
  cacheWrite!: bigint | null;

  @Field(() => UsdScalar, { nullable: true, description: 'Reasoning; null: the price of `output`.' })
  reasoning!: bigint | null;

  @Field(() => [PriceTierType], {
    description: 'Prices for requests with large inputs; smallest bound first.',
  })
  tiers!: PriceTierType[];

  @Field(() => String, { description: 'Where the price comes from.' })
  source!: string;

  @Field(() => RowOwnerKind, {
    description: 'Whether it is a price of the installation or of your workspace, which takes precedence.',
  })
  owner!: RowOwnerKind;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When it takes effect; null if that is not known.',
  })
  effectiveAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was recorded; null if it was not.' })
  createdAt!: Date | null;
}

@InputType({
  description: 'Prices for requests whose input is larger than a bound. They apply to the whole request.',
})
export class PriceTierInput {
  @Field(() => Int, { description: 'The tier applies above this number of input tokens.' })
  aboveInputTokens!: number;

  @Field(() => UsdScalar, { description: 'Dollars per million tokens of input.' })
  input!: bigint;

  @Field(() => UsdScalar, { description: 'Dollars per million tokens of output.' })
  output!: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'For input read from the cache. Default: the price of `input`.',
  })
  cacheRead?: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'For input written to the cache. Default: the price of `input`.',
  })
  cacheWrite?: bigint;
}

@InputType({ description: 'A new price of a model, in dollars per million tokens.' })
export class SetPriceInput {
  @Field(() => String, { description: 'Canonical id of the model, e.g. `openai/gpt-4o`.' })
  canonicalId!: string;

  @Field(() => UsdScalar, { description: 'Input that was read without a cache.' })
  input!: bigint;

  @Field(() => UsdScalar, { description: 'Visible output.' })
  output!: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Input read from the cache. Default: the price of `input`.',
  })
  cacheRead?: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Input written to the cache. Default: the price of `input`.',
  })
  cacheWrite?: bigint;

  @Field(() => UsdScalar, { nullable: true, description: 'Reasoning. Default: the price of `output`.' })
  reasoning?: bigint;

  @Field(() => [PriceTierInput], { nullable: true, description: 'Prices for requests with large inputs.' })
  tiers?: PriceTierInput[];

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it takes effect. Default: now.' })
  effectiveAt?: Date;

  @Field(() => String, { nullable: true, description: 'Where the price comes from, for people.' })
  source?: string;

  @Field(() => RowOwnerKind, {
    nullable: true,
    description: 'INSTALLATION sets it for every workspace without a price of its own. Default WORKSPACE.',
  })
  owner?: RowOwnerKind;
}

export function toPriceVersionType(row: PriceRow): PriceVersionType {
  return {
    ...toPriceType(row),
    id: toGlobalId('PriceVersion', row.id),
    owner: row.workspaceId ? RowOwnerKind.WORKSPACE : RowOwnerKind.INSTALLATION,
    effectiveAt: row.effectiveAt,
    createdAt: row.createdAt,
  };
}

/** For a price that may come from the price library, which has no version. */
export function toPriceType(row: Price): PriceVersionType {
  return {
    id: null,
    input: row.inputNanoPerMillion,
    output: row.outputNanoPerMillion,
    cacheRead: row.cacheReadNanoPerMillion ?? null,
    cacheWrite: row.cacheWriteNanoPerMillion ?? null,
    reasoning: row.reasoningNanoPerMillion ?? null,
    tiers: row.tiers.map(({ aboveInputTokens, input, output, cacheRead, cacheWrite }) => ({
      aboveInputTokens,
      input: BigInt(input),
      output: BigInt(output),
      cacheRead: cacheRead === undefined ? null : BigInt(cacheRead),
      cacheWrite: cacheWrite === undefined ? null : BigInt(cacheWrite),
    })),
    source: row.source,
    owner: RowOwnerKind.INSTALLATION,
    effectiveAt: null,
    createdAt: null,
  };
}

export function toPriceFields(input: SetPriceInput): PriceFields {
  const { canonicalId: _id, owner: _owner, tiers, ...rest } = input;
  return { ...withoutNulls(rest), tiers: (tiers ?? []).map((tier) => withoutNulls(tier)) };
}
