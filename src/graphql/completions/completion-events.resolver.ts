// Owns the subscriptions to runs.
import { Arg, Int, Resolver, Root, Subscription } from 'type-graphql';
import type { CompletionEvent } from '../../domain/completions/completion-event.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { CompletionInput, toCompletionRequest } from './completion.input.ts';
import { CompletionEventType, toCompletionEventType } from './completion-event.type.ts';

interface Subscribing<Args> {
  readonly args: Args;
  readonly context: GraphContext;
}

@Resolver()
export class CompletionEventsResolver {
  @Subscription(() => CompletionEventType, {
    description:
      'Starts a completion and streams it. Losing the socket does not stop it: the same key (or, over graphql-ws, the same operation id) joins it again from the start.',
    subscribe: ({ args, context }) =>
      streamCompletion({ args, context } as Subscribing<{ input: CompletionInput }>),
  })
  streamCompletion(
    @Root() event: CompletionEventType,
    @Arg('input', () => CompletionInput) _input: CompletionInput,
  ): CompletionEventType {
    return event;
  }

  @Subscription(() => CompletionEventType, {
    description:
      'Joins or resumes any completion that you may see, running or ended: the events after `after`, then new ones as they come.',
    subscribe: ({ args, context }) =>
      completionEvents({ args, context } as Subscribing<{ id: string; after: number }>),
  })
  completionEvents(
    @Root() event: CompletionEventType,
    @Arg('id', () => String, { description: 'Id of the completion.' }) _id: string,
    @Arg('after', () => Int, { defaultValue: 0, description: '`seq` of the last event that you have seen.' })
    _after: number,
  ): CompletionEventType {
    return event;
  }
}

async function streamCompletion({ args, context }: Subscribing<{ input: CompletionInput }>) {
  const { viewer, services, arrival } = context;
  if (arrival.resume)
    return shown(await services.completions.events(viewer, arrival.resume.runId, arrival.resume.after));
  if (arrival.readOnly)
    throw new GatewayError('BAD_USER_INPUT', 'GET cannot start a completion; send the subscription by POST');
  if (arrival.kind === 'sse' && args.input.idempotencyKey == null) {
    throw new GatewayError(
      'BAD_USER_INPUT',
      'idempotencyKey: is required over SSE, where a client that reconnects sends its request again: with a key it joins its run, without one it would start and pay for a second',
      { path: 'input.idempotencyKey' },
    );
  }
  return shown(
    await services.completions.stream(viewer, toCompletionRequest(args.input, arrival.operationKey), context),
  );
}

async function completionEvents({ args, context }: Subscribing<{ id: string; after: number }>) {
  const { viewer, services, arrival } = context;
  const runId = requireGlobalId('Completion', args.id);
  const after = arrival.resume?.runId === runId ? arrival.resume.after : args.after;
  return shown(await services.completions.events(viewer, runId, after));
}

/** The same stream with each event as its type of the graph. Leaving it ends the reading of the run. */
function shown(events: AsyncIterableIterator<CompletionEvent>): AsyncIterableIterator<CompletionEventType> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { value, done } = await events.next();
      return done ? { value: undefined, done } : { value: toCompletionEventType(value), done: false };
    },
    async return() {
      await events.return?.();
      return { value: undefined, done: true };
    },
  };
}
