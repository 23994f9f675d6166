// Owns the input and types of the usage report.
import { Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { UsageRow } from '../../domain/billing/usage-service.ts';
import { DateTimeScalar, UsdScalar } from '../scalars.ts';

export enum UsageGroupType {
  MODEL = 'model',
  PROVIDER = 'provider',
  INSTANCE = 'instance',
  CALLER = 'caller',
  STATUS = 'status',
  DAY = 'day',
  MONTH = 'month',
  METADATA = 'metadata',
}
registerEnumType(UsageGroupType, {
  name: 'UsageGroup',
  description: 'What completions are put together by.',
  valuesConfig: {
    MODEL: { description: 'Canonical id of the model that answered, or was to.' },
    PROVIDER: { description: 'Key of its provider.' },
    INSTANCE: { description: 'Id of the instance.' },
    CALLER: { description: '`key:<id>` or `sub:<subject>`.' },
    STATUS: { description: 'How they ended.' },
    DAY: { description: 'Day in UTC on which they began.' },
    MONTH: { description: 'Month in UTC in which they began.' },
    METADATA: { description: 'The entry `metadataKey` of their metadata.' },
  },
});

@InputType({ description: 'What to report on.' })
export class UsageReportInput {
  @Field(() => UsageGroupType, { nullable: true, description: 'What to put together by. Default MODEL.' })
  groupBy?: UsageGroupType | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'From when on. Default: 30 days before `until`.',
  })
  since?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Until when. Default: now. At most 366 days.' })
  until?: Date | null;

  @Field(() => String, { nullable: true, description: 'With METADATA: the name of the entry, e.g. "team".' })
  metadataKey?: string | null;
}

@ObjectType('UsageReportRow', { description: 'What one group used and cost.', simpleResolvers: true })
export class UsageReportRowType {
  @Field(() => String, { description: 'What they have in common; empty where they have none.' })
  key!: string;

  @Field(() => Int, { description: 'Completions that ended.' })
  completions!: number;

  @Field(() => Int, { description: 'Of them, those that finished.' })
  finished!: number;

  @Field(() => Int, { description: 'Of them, those that failed.' })
  failed!: number;

  @Field(() => Float, { description: 'Tokens of input that no cache had.' })
  inputTokens!: number;

  @Field(() => Float, { description: 'Tokens of input read from a cache.' })
  cacheReadTokens!: number;

  @Field(() => Float, { description: 'Tokens of input written to a cache.' })
  cacheWriteTokens!: number;

  @Field(() => Float, { description: 'Tokens of output.' })
  outputTokens!: number;

  @Field(() => Float, { description: 'Tokens of reasoning.' })
  reasoningTokens!: number;

  @Field(() => UsdScalar, { description: 'What they cost.' })
  cost!: bigint;

  @Field(() => UsdScalar, {
    description: 'What attempts cost whose output nobody kept: charged to no account or budget.',
  })
  absorbedCost!: bigint;

  @Field(() => Int, { description: 'Completions that used tokens of a model whose price was not known.' })
  unpriced!: number;
}

@ObjectType('UsageReport', { description: 'What completions used and cost.', simpleResolvers: true })
export class UsageReportType {
  @Field(() => DateTimeScalar, { description: 'From when on.' })
  since!: Date;

  @Field(() => DateTimeScalar, { description: 'Until when.' })
  until!: Date;

  @Field(() => [UsageReportRowType], { description: 'The dearest first, or by time; at most 1,000.' })
  rows!: UsageReportRowType[];
}

export function toUsageReportRowType(row: UsageRow): UsageReportRowType {
  return {
    key: row.key,
    completions: row.runs,
    finished: row.finished,
    failed: row.failed,
    inputTokens: Number(row.input_tokens),
    cacheReadTokens: Number(row.cache_read_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    outputTokens: Number(row.output_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    cost: BigInt(row.cost_nano),
    absorbedCost: BigInt(row.absorbed_nano),
    unpriced: row.unpriced,
  };
}
