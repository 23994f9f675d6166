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
  description: 'What a usage report groups completions by.',
  valuesConfig: {
    MODEL: { description: 'Canonical id of the model that answered, or was to answer.' },
    PROVIDER: { description: 'Key of its provider.' },
    INSTANCE: { description: 'Id of the instance.' },
    CALLER: { description: '`key:<id>` or `sub:<subject>`.' },
    STATUS: { description: 'How they ended.' },
    DAY: { description: 'The day, in UTC, on which they began.' },
    MONTH: { description: 'Month in UTC in which they began.' },
    METADATA: { description: 'The entry `metadataKey` of their metadata.' },
  },
});

@InputType({ description: 'What to report on.' })
export class UsageReportInput {
  @Field(() => UsageGroupType, { nullable: true, description: 'What to group by. Default MODEL.' })
  groupBy?: UsageGroupType | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Start of the window. Default: 30 days before `until`.',
  })
  since?: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'End of the window, at most 366 days after `since`. Default: now.',
  })
  until?: Date | null;

  @Field(() => String, { nullable: true, description: 'With METADATA: the name of the entry, e.g. "team".' })
  metadataKey?: string | null;
}

@ObjectType('UsageReportRow', { description: 'Usage and cost of one group.', simpleResolvers: true })
export class UsageReportRowType {
  @Field(() => String, {
    description: 'What the completions of the group have in common; empty if they have no such value.',
  })
  key!: string;

  @Field(() => Int, { description: 'Number of completions that ended.' })
  completions!: number;

  @Field(() => Int, { description: 'Number of completions that finished.' })
  finished!: number;

  @Field(() => Int, { description: 'Number of completions that failed.' })
  failed!: number;

  @Field(() => Float, { description: 'Tokens of input that were not read from or written to a cache.' })
  inputTokens!: number;

  @Field(() => Float, { description: 'Tokens of input read from a cache.' })
  cacheReadTokens!: number;

  @Field(() => Float, { description: 'Tokens of input written to a cache.' })
  cacheWriteTokens!: number;

  @Field(() => Float, { description: 'Tokens of output.' })
  outputTokens!: number;

  @Field(() => Float, { description: 'Tokens of reasoning.' })
  reasoningTokens!: number;

  @Field(() => UsdScalar, { description: 'Their cost.' })
  cost!: bigint;

  @Field(() => UsdScalar, {
    description: 'Cost of attempts whose output was not kept; it is charged to no account or budget.',
  })
  absorbedCost!: bigint;

  @Field(() => Int, {
    description: 'Number of completions that used tokens of a model whose price was not known.',
  })
  unpriced!: number;
}

@ObjectType('UsageReport', { description: 'Usage and cost of completions.', simpleResolvers: true })
export class UsageReportType {
  @Field(() => DateTimeScalar, { description: 'Start of the window.' })
  since!: Date;

  @Field(() => DateTimeScalar, { description: 'End of the window.' })
  until!: Date;

  @Field(() => [UsageReportRowType], {
    description: 'The highest cost first, or by time if grouped by time; at most 1,000 rows.',
  })
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
