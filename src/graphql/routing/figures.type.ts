// Owns how the live figures of instances and models are shown, and the report that compares them.
import { Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Figures } from '../../domain/routing/report-service.ts';
import { DateTimeScalar, UsdScalar } from '../scalars.ts';

@ObjectType('Figures', {
  description:
    'Numbers of calls, latencies and costs; latencies, tokens and costs are those of kept answers.',
  simpleResolvers: true,
})
export class FiguresType {
  @Field(() => Int, { description: 'Calls of the provider.' })
  attempts!: number;

  @Field(() => Int, { description: 'Calls whose answer was kept.' })
  answered!: number;

  @Field(() => Int, { description: 'Calls that failed.' })
  failed!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of successful calls among those that were not stopped, 0 to 1.',
  })
  successRate!: number | null;

  @Field(() => Int, { nullable: true, description: 'Median of the milliseconds of a whole answer.' })
  p50Ms!: number | null;

  @Field(() => Int, { nullable: true, description: '95th percentile of the same.' })
  p95Ms!: number | null;

  @Field(() => Int, { nullable: true, description: 'Median of the milliseconds to the first token.' })
  firstTokenP50Ms!: number | null;

  @Field(() => Int, { nullable: true, description: '95th percentile of the same.' })
  firstTokenP95Ms!: number | null;

  @Field(() => Float, { description: 'Tokens read; a whole number.' })
  inputTokens!: number;

  @Field(() => Float, { description: 'Tokens written, reasoning included; a whole number.' })
  outputTokens!: number;

  @Field(() => UsdScalar, { nullable: true, description: 'Cost in dollars; null if no price is known.' })
  cost!: bigint | null;

  @Field(() => UsdScalar, { nullable: true, description: 'Cost in dollars of a thousand answers.' })
  costPerThousand!: bigint | null;
}

export enum ReportGroup {
  INSTANCE = 'instance',
  MODEL = 'model',
  CONFIG = 'config',
}
registerEnumType(ReportGroup, {
  name: 'ReportGroup',
  description: 'What a report compares.',
  valuesConfig: {
    INSTANCE: { description: 'Instances, e.g. the variants of a test.' },
    MODEL: { description: 'Models, together with all their instances.' },
    CONFIG: { description: 'Provider configs.' },
  },
});

@InputType({ description: 'What to report on.' })
export class RoutingReportInput {
  @Field(() => ReportGroup, { nullable: true, description: 'What to compare. Default INSTANCE.' })
  groupBy?: ReportGroup;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Start of the window. Default: 24 hours before `until`.',
  })
  since?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'End of the window. Default: now.' })
  until?: Date;

  @Field(() => String, {
    nullable: true,
    description: 'Only completions that asked for this `model`, e.g. `tag:chat`, to compare its variants.',
  })
  model?: string;
}

@ObjectType('RoutingReportRow', {
  description: 'The figures of one of the instances, models or configs.',
  simpleResolvers: true,
})
export class RoutingReportRowType {
  /** Row id or canonical id, by the report's group. */
  key!: string;
  group!: ReportGroup;

  @Field(() => String, { description: 'Canonical id of its model, or of one of its models.' })
  canonicalId!: string;

  @Field(() => Float, { nullable: true, description: 'Share of the answers of the whole report, 0 to 1.' })
  share!: number | null;

  @Field(() => FiguresType, { description: 'Numbers of calls, latencies and costs.' })
  figures!: FiguresType;
}

@ObjectType('RoutingReport', {
  description: 'A comparison of instances, models or configs.',
  simpleResolvers: true,
})
export class RoutingReportType {
  @Field(() => DateTimeScalar, { description: 'Start of the window.' })
  since!: Date;

  @Field(() => DateTimeScalar, { description: 'End of the window.' })
  until!: Date;

  @Field(() => [RoutingReportRowType], {
    description: 'Ordered by the number of answers, the largest first; at most 500 rows.',
  })
  rows!: RoutingReportRowType[];
}

export function toFiguresType(figures: Figures): FiguresType {
  const { costNano, costPerThousandNano, ...rest } = figures;
  return { ...rest, cost: costNano, costPerThousand: costPerThousandNano };
}
