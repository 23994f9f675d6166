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
  description: 'The state of a completion.',
  valuesConfig: {
    RUNNING: { description: 'It is running.' },
    FINISHED: { description: 'The completion has finished: the answer is whole.' },
    FAILED: { description: 'Every attempt failed; `error` says why.' },
    CANCELLED: {
      description: 'It was stopped on request; content that was shown until then is kept and charged.',
    },
    INTERRUPTED: {
      description: 'The node that ran it stopped; content that was recorded until then is kept.',
    },
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
    STOP: { description: 'The model had finished, or reached a stop text.' },
    LENGTH: {
      description: 'The answer reached its bound on tokens, or the largest size that this gateway accepts.',
    },
    TOOL_CALLS: { description: 'The model waits for the results of its tool calls.' },
    CONTENT_FILTER: { description: 'The provider’s filter stopped it.' },
    OTHER: { description: 'Another reason; see `providerFinishReason`.' },
    FUNDS: { description: 'The gateway stopped it: the account or a budget did not cover more output.' },
  },
});

@ObjectType('ToolCall', { description: 'A call that the model asks for.', simpleResolvers: true })
export class ToolCallType {
  @Field(() => String, {
    description: 'Id of the call; the message with its result has it as `toolCallId`.',
  })
  callId!: string;

  @Field(() => String, { description: 'Name of the tool.' })
  name!: string;

  @Field(() => String, { description: 'Arguments as the JSON text of an object, as the model wrote it.' })
  argumentsText!: string;
}

@ObjectType('CompletionWarning', {
  description: 'A difference between the request and what was done.',
  simpleResolvers: true,
})
export class CompletionWarningType {
  @Field(() => String, { description: 'The kind of difference, e.g. UNSUPPORTED_DROPPED.' })
  code!: string;

  @Field(() => String, { description: 'The same as a message.' })
  message!: string;
}

@ObjectType('CompletionError', { description: 'Why a completion did not finish.', simpleResolvers: true })
export class CompletionErrorType {
  @Field(() => String, {
    description:
      'One of the gateway’s error codes. Of an INTERRUPTED completion: NODE_LOST if its node died, NODE_DRAINING if its node was shut down.',
  })
  code!: string;

  @Field(() => String, { description: 'The message; the provider’s own if it gave one.' })
  message!: string;

  @Field(() => Int, { nullable: true, description: 'How many milliseconds to wait before asking again.' })
  retryAfterMs!: number | null;
}

@ObjectType('Completion', {
  implements: NodeType,
  description: 'One completion: a durable run with one answer.',
  simpleResolvers: true,
})
export class CompletionType extends NodeType {
  @Field(() => CompletionStatus, { description: 'Its state.' })
  status!: CompletionStatus;

  @Field(() => String, { description: 'The `model` that was asked for.' })
  model!: string;

  @Field(() => String, { description: 'The answer’s text, so far.' })
  text!: string;

  @Field(() => String, { description: 'The reasoning that the provider shows, so far.' })
  reasoning!: string;

  @Field(() => [ToolCallType], {
    description: 'Calls that the model asks for; run them only once the status is FINISHED.',
  })
  toolCalls!: ToolCallType[];

  @Field(() => FinishReasonKind, {
    nullable: true,
    description: 'Why the model stopped; null unless FINISHED.',
  })
  finishReason!: FinishReasonKind | null;

  @Field(() => String, { nullable: true, description: 'The provider’s own name of the reason.' })
  providerFinishReason!: string | null;

  @Field(() => UsageType, { description: 'Tokens of the kept answer, which is the one that is charged.' })
  usage!: UsageType;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'Its cost in US dollars; null if no price is known.',
  })
  cost!: bigint | null;

  @Field(() => [CostLineType], { description: 'The cost by kind of token.' })
  costLines!: CostLineType[];

  @Field(() => RoutePlanType, { description: 'Which instances were to be tried, and why.' })
  plan!: RoutePlanType;

  @Field(() => [CompletionWarningType], { description: 'Differences between the request and what was done.' })
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
      'When its prompt and output were removed (`Workspace.contentRetentionDays`); null: they are still stored.',
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
    description: 'Always empty: a fault of a completion is a GraphQL error with a code.',
  })
  userErrors!: UserErrorType[];
}

@ObjectType('CancelCompletionPayload', {
  description: 'The result of stopping a completion.',
  simpleResolvers: true,
})
export class CancelCompletionPayload extends CompletionPayload {
  @Field(() => Boolean, {
    description: 'False if its end could not be stored in time; it will be stored later.',
  })
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
