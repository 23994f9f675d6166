// Owns the mutations and queries of completions.
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { explainRun } from '../../domain/runs/explanation.ts';
import { isUuid } from '../../kernel/ids.ts';
import { ModelInstanceType, toModelInstanceType } from '../catalogue/model-instance.type.ts';
import { ModelSpecType, toModelSpecType } from '../catalogue/model-spec.type.ts';
import { type Connection, ConnectionArgs, connectByTime } from '../connection.ts';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { RoutePlanType, toRoutePlanType } from '../routing/route-plan.type.ts';
import { selectsAny } from '../selected-fields.ts';
import { CompletionAttemptType, toAttemptType } from './attempt.type.ts';
import { CancelCompletionInput, CompletionInput, toCompletionRequest } from './completion.input.ts';
import {
  CancelCompletionPayload,
  CompletionPayload,
  CompletionType,
  toCompletionType,
} from './completion.type.ts';
import { CompletionConnection, CompletionFilterInput, toRunFilter } from './completion-list.ts';

/** Fields of a completion that may be large: a list reads them only if the operation asks for them. */
const CONTENT_FIELDS = ['text', 'reasoning', 'toolCalls', 'continuation'];

@Resolver(() => CompletionType)
export class CompletionResolver {
  @Query(() => RoutePlanType, {
    description: 'Which instances a completion would try, in which order and why; no provider is called.',
  })
  routePlan(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CompletionInput) input: CompletionInput,
  ): RoutePlanType {
    return toRoutePlanType(services.completions.routePlan(viewer, toCompletionRequest(input)));
  }

  @Query(() => CompletionType, {
    nullable: true,
    description: 'A completion of your own; with scope READ, any completion of the workspace.',
  })
  async completion(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('id', () => String, { description: 'Id of the completion.' }) id: string,
  ): Promise<CompletionType> {
    return toCompletionType(await services.completions.get(viewer, requireGlobalId('Completion', id)));
  }

  @Query(() => CompletionConnection, {
    description: 'Your own completions; with scope READ, those of the whole workspace. The latest first.',
  })
  async completions(
    @Ctx() { viewer, services }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => CompletionFilterInput, { nullable: true }) filter?: CompletionFilterInput,
  ): Promise<Connection<CompletionType>> {
    const wanted = toRunFilter(filter);
    const withContent = selectsAny(info, CONTENT_FIELDS);
    return connectByTime(args, info, {
      isId: isUuid,
      list: (page) => services.completions.list(viewer, wanted, { ...page, withContent }),
      count: () => services.completions.count(viewer, wanted),
      node: toCompletionType,
    });
  }

  @Mutation(() => CompletionPayload, {
    description:
      'Runs a completion to its end. If it does not finish, the error’s `extensions.completionId` names the run.',
  })
  async complete(
    @Ctx() context: GraphContext,
    @Arg('input', () => CompletionInput) input: CompletionInput,
  ): Promise<CompletionPayload> {
    const { viewer, services } = context;
    return payload(await services.completions.complete(viewer, toCompletionRequest(input), context));
  }

  @Mutation(() => CompletionPayload, {
    description:
      'Starts a completion and answers at once; follow it with `completionEvents(id)`, or ask for `completion(id)` later.',
  })
  async startCompletion(
    @Ctx() context: GraphContext,
    @Arg('input', () => CompletionInput) input: CompletionInput,
  ): Promise<CompletionPayload> {
    const { viewer, services } = context;
    return payload(await services.completions.start(viewer, toCompletionRequest(input), context));
  }

  @Mutation(() => CancelCompletionPayload, {
    description:
      'Stops a completion, on whatever node it runs, and answers with what it has used. A completion that has ended is returned unchanged.',
  })
  async cancelCompletion(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CancelCompletionInput) { id }: CancelCompletionInput,
  ): Promise<CancelCompletionPayload> {
    const { run, settled } = await services.completions.cancel(viewer, requireGlobalId('Completion', id));
    return { ...payload(run), settled };
  }

  @FieldResolver(() => ModelInstanceType, {
    nullable: true,
    description:
      'The instance that answered, or is to answer; null if a config served without an instance, or if the instance was deleted.',
  })
  async instance(
    @Root() completion: CompletionType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ModelInstanceType | null> {
    if (completion.instanceRowId === null) return null;
    const row = await loaders.catalogue.byId('model_instance', completion.instanceRowId);
    return row ? toModelInstanceType(row) : null;
  }

  @FieldResolver(() => ModelSpecType, {
    nullable: true,
    description: 'The model that answered, or is to answer; null if it is no longer in the catalogue.',
  })
  async modelSpec(
    @Root() completion: CompletionType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ModelSpecType | null> {
    if (completion.canonicalId === null) return null;
    const row = await loaders.catalogue.byName('model_spec', completion.canonicalId);
    return row ? toModelSpecType(row) : null;
  }

  @FieldResolver(() => String, {
    description:
      'How the answer came about, in a few sentences: which instance answered, which ones failed before, and why others were not called.',
  })
  async explanation(@Root() completion: CompletionType, @Ctx() { loaders }: GraphContext): Promise<string> {
    const attempts = completion.knownAttempts ?? (await loaders.attempts.load(completion.runId));
    return explainRun(completion.run, attempts);
  }

  @FieldResolver(() => [CompletionAttemptType], { description: 'Every call that was made for it, in order.' })
  async attempts(
    @Root() completion: CompletionType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<CompletionAttemptType[]> {
    const attempts = completion.knownAttempts ?? (await loaders.attempts.load(completion.runId));
    return attempts.map(toAttemptType);
  }
}

function payload(run: Parameters<typeof toCompletionType>[0]): CompletionPayload {
  return { completion: toCompletionType(run), userErrors: [] };
}
