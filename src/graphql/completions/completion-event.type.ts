// Owns the types of a run's events: one interface, and an object type for each kind of event.
import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { CompletionEvent } from '../../domain/completions/completion-event.ts';
import { toGlobalId } from '../global-id.ts';
import { RoutePlanType, toRoutePlanType } from '../routing/route-plan.type.ts';
import { DateTimeScalar } from '../scalars.ts';
import { CompletionType, toCompletionType } from './completion.type.ts';

const TYPE_NAMES = {
  started: 'CompletionStarted',
  'text-delta': 'TextDelta',
  'reasoning-delta': 'ReasoningDelta',
  'tool-call-delta': 'ToolCallDelta',
  rerouted: 'CompletionRerouted',
  finished: 'CompletionFinished',
  failed: 'CompletionFailed',
  cancelled: 'CompletionCancelled',
  interrupted: 'CompletionInterrupted',
} as const satisfies Record<CompletionEvent['type'], string>;

@InterfaceType('CompletionEvent', {
  description:
    'An event of a completion. `seq` grows by one with each event; every stream ends with exactly one of CompletionFinished, CompletionFailed, CompletionCancelled and CompletionInterrupted.',
  resolveType: ({ type }: { type: CompletionEvent['type'] }) => TYPE_NAMES[type],
})
export abstract class CompletionEventType {
  @Field(() => Int, {
    description:
      'Position in the completion’s log, from 1. To resume, give the last one that you saw as `after`.',
  })
  seq!: number;

  @Field(() => ID, { description: 'Id of the completion.' })
  completionId!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  at!: Date;

  type!: CompletionEvent['type'];
}

@ObjectType('CompletionStarted', {
  implements: CompletionEventType,
  description: 'The run has begun; always `seq` 1.',
  simpleResolvers: true,
})
export class CompletionStartedType extends CompletionEventType {
  @Field(() => RoutePlanType, { description: 'Which instances will be tried, and why.' })
  plan!: RoutePlanType;
}

const SERVED_BY =
  'Which instance gives this answer: a `label` of the plan. Set on the first delta of each attempt, and null on the later ones; after CompletionRerouted the next delta names the new instance.';

@ObjectType('TextDelta', {
  implements: CompletionEventType,
  description: 'More text of the answer.',
  simpleResolvers: true,
})
export class TextDeltaType extends CompletionEventType {
  @Field(() => Int, {
    description:
      'First `seq` that this event covers: lower than `seq` if events were merged because the reader was slow.',
  })
  fromSeq!: number;

  @Field(() => String, { nullable: true, description: SERVED_BY })
  servedBy?: string;

  @Field(() => String, { description: 'Text to append to that of earlier events.' })
  text!: string;
}

@ObjectType('ReasoningDelta', {
  implements: CompletionEventType,
  description: 'More of the reasoning that the provider shows.',
  simpleResolvers: true,
})
export class ReasoningDeltaType extends CompletionEventType {
  @Field(() => Int, { description: 'First `seq` that this event covers.' })
  fromSeq!: number;

  @Field(() => String, { nullable: true, description: SERVED_BY })
  servedBy?: string;

  @Field(() => String, { description: 'Text to append to that of earlier events.' })
  text!: string;
}

@ObjectType('ToolCallDelta', {
  implements: CompletionEventType,
  description:
    'More of a tool call. Run calls only after CompletionFinished, because another instance may take over and void them.',
  simpleResolvers: true,
})
export class ToolCallDeltaType extends CompletionEventType {
  @Field(() => Int, { description: 'First `seq` that this event covers.' })
  fromSeq!: number;

  @Field(() => String, { nullable: true, description: SERVED_BY })
  servedBy?: string;

  @Field(() => Int, { description: 'Which call of the answer, from 0.' })
  index!: number;

  @Field(() => String, { nullable: true, description: 'Id of the call; set on its first delta.' })
  callId?: string | undefined;

  @Field(() => String, { nullable: true, description: 'Name of the tool; set on its first delta.' })
  name?: string | undefined;

  @Field(() => String, {
    description: 'Text to append to the call’s arguments; together they are JSON text.',
  })
  argumentsText!: string;
}

@ObjectType('CompletionRerouted', {
  implements: CompletionEventType,
  description: 'An attempt failed, and another instance has taken over.',
  simpleResolvers: true,
})
export class CompletionReroutedType extends CompletionEventType {
  @Field(() => String, { description: 'Label of the instance that failed, as in the plan.' })
  from!: string;

  @Field(() => String, { description: 'Label of the instance that has taken over.' })
  to!: string;

  @Field(() => String, { description: 'What went wrong.' })
  reason!: string;

  @Field(() => Boolean, {
    description: 'If true, all content since CompletionStarted is void, tool calls included.',
  })
  discard!: boolean;
}

@InterfaceType('CompletionEnded', {
  implements: CompletionEventType,
  description:
    'The terminal event of a completion: exactly one of CompletionFinished, CompletionFailed, CompletionCancelled and CompletionInterrupted.',
  resolveType: ({ type }: { type: CompletionEvent['type'] }) => TYPE_NAMES[type],
})
export abstract class CompletionEndedType extends CompletionEventType {
  @Field(() => CompletionType, { description: 'The completion as it ended, with usage and cost.' })
  completion!: CompletionType;
}

@ObjectType('CompletionFinished', {
  implements: [CompletionEventType, CompletionEndedType],
  description: 'The completion has finished: the answer is whole.',
  simpleResolvers: true,
})
export class CompletionFinishedType extends CompletionEndedType {}

@ObjectType('CompletionFailed', {
  implements: [CompletionEventType, CompletionEndedType],
  description: 'The completion failed; `completion.error` says why.',
  simpleResolvers: true,
})
export class CompletionFailedType extends CompletionEndedType {}

@ObjectType('CompletionCancelled', {
  implements: [CompletionEventType, CompletionEndedType],
  description: 'The completion was cancelled.',
  simpleResolvers: true,
})
export class CompletionCancelledType extends CompletionEndedType {}

@ObjectType('CompletionInterrupted', {
  implements: [CompletionEventType, CompletionEndedType],
  description: 'The node that ran the completion stopped before its end.',
  simpleResolvers: true,
})
export class CompletionInterruptedType extends CompletionEndedType {}

export const COMPLETION_EVENT_TYPES = [
  CompletionStartedType,
  TextDeltaType,
  ReasoningDeltaType,
  ToolCallDeltaType,
  CompletionReroutedType,
  CompletionFinishedType,
  CompletionFailedType,
  CompletionCancelledType,
  CompletionInterruptedType,
] as const;

/** The last global id that was made, since a stream needs the same one for each of its events. */
let lastRunId = '';
let lastGlobalId = '';

export function toCompletionEventType(event: CompletionEvent): CompletionEventType {
  if (event.runId !== lastRunId) {
    lastRunId = event.runId;
    lastGlobalId = toGlobalId('Completion', event.runId);
  }
  const base = { ...event, completionId: lastGlobalId, at: new Date(event.atMs) };
  if ('plan' in event) return { ...base, plan: toRoutePlanType(event.plan) } as CompletionStartedType;
  if ('run' in event) return { ...base, completion: toCompletionType(event.run) } as CompletionEndedType;
  return base;
}
