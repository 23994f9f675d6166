// Owns the type of a completion: its output, its usage and cost, and how the answer came about.
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { CompletionRecord } from '../../domain/completions/completion-result.ts';
import type { RunAttempt } from '../../domain/runs/run-record.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { RoutePlanType, toRoutePlanType } from '../routing/route-plan.type.ts';
import { DateTimeScalar, JsonObjectScalar, UsdScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';
import { CostLineType, toUsageType, UsageType } from './usage.type.ts';

export enum CompletionStatus {
  RUNNING = 'RUNNING',
  FINISHED = 'FINISHED',
  FAILED = 'FAILED',
  CANCELLED = 'CANCELLED',
  INTERRUPTED = 'INTERRUPTED',
}
registerEnumType(CompletionStatus, {
  name: 'CompletionStatus',
  description: 'Where a completion stands.',
  valuesConfig: {
    RUNNING: { description: 'It is under way.' },
    FINISHED: { description: 'The answer is whole.' },
    FAILED: { description: 'Every attempt failed; `error` says why.' },
    CANCELLED: { description: 'Somebody stopped it; what was shown until then is kept and charged.' },
    INTERRUPTED: { description: 'Its node stopped; what had been recorded is kept.' },
  },
});

export enum FinishReasonKind {
  STOP = 'stop',
  LENGTH = 'length',
  TOOL_CALLS = 'tool-calls',
  CONTENT_FILTER = 'content-filter',
  OTHER = 'other',
  FUNDS = 'funds',
}
registerEnumType(FinishReasonKind, {
  name: 'FinishReason',
  description: 'Why the model stopped.',
  valuesConfig: {
    STOP: { description: 'It was done, or came to a stop text.' },
    LENGTH: {
      description: 'It came to its bound on tokens, or to the largest answer that this gateway takes.',
    },
    TOOL_CALLS: { description: 'It wants its tool calls answered.' },
    CONTENT_FILTER: { description: 'The provider’s filter stopped it.' },
    OTHER: { description: 'Something else; see `providerFinishReason`.' },
    FUNDS: { description: 'The gateway stopped it: the account or a budget did not cover more output.' },
  },
});

@ObjectType('ToolCall', { description: 'A call that the model wants made.', simpleResolvers: true })
export class ToolCallType {
  @Field(() => String, {
    description: 'Names the call; the message that answers it has this as `toolCallId`.',
  })
  callId!: string;

  @Field(() => String, { description: 'Name of the tool.' })
  name!: string;

  @Field(() => String, { description: 'Arguments as the JSON text of an object, as the model wrote it.' })
  argumentsText!: string;
}

@ObjectType('CompletionWarning', {
  description: 'Something that was done differently from what was asked.',
  simpleResolvers: true,
})
export class CompletionWarningType {
  @Field(() => String, { description: 'What kind of thing, e.g. UNSUPPORTED_DROPPED.' })
  code!: string;

  @Field(() => String, { description: 'The same in words.' })
  message!: string;
}

@ObjectType('CompletionError', { description: 'Why a completion did not finish.', simpleResolvers: true })
export class CompletionErrorType {
  @Field(() => String, {
    description:
      'One of the gateway’s error codes. Of an INTERRUPTED completion: NODE_LOST if its node died, NODE_DRAINING if its node was shut down.',
  })
  code!: string;

  @Field(() => String, { description: 'In words; the provider’s own where it gave any.' })
  message!: string;

  @Field(() => Int, { nullable: true, description: 'How long to wait before asking again.' })
  retryAfterMs!: number | null;
}

@ObjectType('Completion', {
  implements: NodeType,
  description: 'One completion: a durable run with one answer.',
  simpleResolvers: true,
})
export class CompletionType extends NodeType {
  @Field(() => CompletionStatus, { description: 'Where it stands.' })
  status!: CompletionStatus;

  @Field(() => String, { description: 'The `model` that was asked for.' })
  model!: string;

  @Field(() => String, { description: 'The answer’s text, so far.' })
  text!: string;

  @Field(() => String, { description: 'The reasoning that the provider shows, so far.' })
  reasoning!: string;

  @Field(() => [ToolCallType], {
    description: 'Calls that the model wants made; carry them out only once the status is FINISHED.',
  })
  toolCalls!: ToolCallType[];

  @Field(() => FinishReasonKind, {
    nullable: true,
    description: 'Why the model stopped; null unless FINISHED.',
  })
  finishReason!: FinishReasonKind | null;

  @Field(() => String, { nullable: true, description: 'The provider’s own word for it.' })
  providerFinishReason!: string | null;

  @Field(() => UsageType, { description: 'Tokens of the answer that was kept.' })
  usage!: UsageType;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'What it cost in US dollars; null where no price is known.',
  })
  cost!: bigint | null;

  @Field(() => [CostLineType], { description: 'The cost by kind of token.' })
  costLines!: CostLineType[];

  @Field(() => RoutePlanType, { description: 'Which instances were to be tried, and why.' })
  plan!: RoutePlanType;

  @Field(() => [CompletionWarningType], { description: 'What was done differently from what was asked.' })
  warnings!: CompletionWarningType[];

  @Field(() => CompletionErrorType, { nullable: true, description: 'Why it did not finish.' })
  error!: CompletionErrorType | null;

  @Field(() => String, {
    nullable: true,
    description: 'Opaque; send it back with this answer’s ASSISTANT message in a tool loop.',
  })
  continuation!: string | null;

  @Field(() => JsonObjectScalar, { description: 'The `metadata` of the request.' })
  metadata!: JsonObject;

  @Field(() => Int, { nullable: true, description: '`seq` of the terminal event; null while it runs.' })
  lastSeq!: number | null;

  @Field(() => String, { nullable: true, description: 'Id of the request that started it, as in the logs.' })
  requestId!: string | null;

  @Field(() => DateTimeScalar, { description: 'When it began.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  endedAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'When its prompt and output were removed (`Workspace.contentRetentionDays`); null: they are there.',
  })
  contentRemovedAt!: Date | null;

  /** The run itself, for fields that are computed or loaded on demand. */
  run!: CompletionRecord;
  runId!: string;
  instanceRowId!: string | null;
  canonicalId!: string | null;
  knownAttempts!: readonly RunAttempt[] | undefined;
}

@ObjectType('CompletionPayload', { description: 'A completion.', simpleResolvers: true })
export class CompletionPayload {
  @Field(() => CompletionType, { description: 'The completion.' })
  completion!: CompletionType;

  @Field(() => [UserErrorType], {
    description: 'Always empty: what is wrong with a completion is a GraphQL error with a code.',
  })
  userErrors!: UserErrorType[];
}

@ObjectType('CancelCompletionPayload', {
  description: 'A completion that was told to stop.',
  simpleResolvers: true,
})
export class CancelCompletionPayload extends CompletionPayload {
  @Field(() => Boolean, { description: 'False if the end could not be committed in time; it will be.' })
  settled!: boolean;
}

export function toCompletionType(run: CompletionRecord): CompletionType {
  return {
    id: toGlobalId('Completion', run.id),
    run,
    runId: run.id,
    instanceRowId: run.instanceId,
    canonicalId: run.canonicalId,
    knownAttempts: run.attempts,
    status: run.status as CompletionStatus,
    model: run.model,
    text: run.result.text,
    reasoning: run.result.reasoning,
    toolCalls: [...run.result.toolCalls],
    finishReason: run.finishReason as FinishReasonKind | null,
    providerFinishReason: run.providerFinishReason,
    usage: toUsageType(run.usage),
    cost: run.costNano,
    costLines: run.costLines.map(({ kind, tokens, nanoPerMillion, nano }) => ({
      kind,
      tokens,
      pricePerMillion: BigInt(nanoPerMillion),
      cost: BigInt(nano),
    })),
    plan: toRoutePlanType(run.plan),
    warnings: [...run.warnings],
    error: run.error,
    continuation: run.result.continuation,
    metadata: run.metadata,
    lastSeq: run.lastSeq,
    requestId: run.requestId,
    createdAt: run.createdAt,
    endedAt: run.endedAt,
    contentRemovedAt: run.contentRemovedAt,
  };
}
