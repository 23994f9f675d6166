// Owns the queries and mutations of model instances.
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs } from '../connection.ts';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { asUserErrors } from '../user-error.ts';
import { readPage, toOrder } from './catalogue-page.ts';
import { DeleteRowInput } from './delete-row.input.ts';
import { lookUp } from './look-up.ts';
import {
  CreateModelInstanceInput,
  ModelInstanceFilterInput,
  ModelInstanceOrderField,
  ModelInstanceOrderInput,
  toModelInstanceFilter,
  toModelInstancePatch,
  UpdateModelInstanceInput,
} from './model-instance.input.ts';
import {
  ModelInstanceConnection,
  ModelInstancePayload,
  ModelInstanceType,
  toModelInstanceType,
} from './model-instance.type.ts';
import { ModelSpecType, toModelSpecType } from './model-spec.type.ts';
import { ProviderConfigType, toProviderConfigType } from './provider-config.type.ts';

@Resolver(() => ModelInstanceType)
export class ModelInstanceResolver {
  @Query(() => ModelInstanceConnection, {
    description: 'The instances that your applications can call, ordered by slug by default.',
  })
  modelInstances(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => ModelInstanceFilterInput, { nullable: true, description: 'Which entries to list.' })
    filter?: ModelInstanceFilterInput,
    @Arg('orderBy', () => ModelInstanceOrderInput, { nullable: true, description: 'Default: SLUG ASC.' })
    orderBy?: ModelInstanceOrderInput,
  ): Promise<Connection<ModelInstanceType>> {
    return readPage(context, info, {
      table: 'model_instance',
      args,
      filter: toModelInstanceFilter(context, filter),
      order: toOrder(orderBy, ModelInstanceOrderField.SLUG),
      toNode: toModelInstanceType,
    });
  }

  @Query(() => ModelInstanceType, { nullable: true, description: 'One instance, by `id` or by `slug`.' })
  async modelInstance(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { nullable: true, description: 'The object’s id.' }) id?: string,
    @Arg('slug', () => String, { nullable: true, description: 'Its slug.' }) slug?: string,
  ): Promise<ModelInstanceType> {
    return toModelInstanceType(await lookUp(context, 'model_instance', id, 'slug', slug));
  }

  @Mutation(() => ModelInstancePayload, {
    description: 'Makes an instance that applications can call. Needs scope CATALOGUE.',
  })
  createModelInstance(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateModelInstanceInput) input: CreateModelInstanceInput,
  ): Promise<ModelInstancePayload> {
    const patch = toModelInstancePatch(input);
    const { slug, canonicalId } = input;
    return payload(() =>
      services.modelInstances.create(viewer, { ...patch, slug, canonicalId, configId: patch.configId ?? '' }),
    );
  }

  @Mutation(() => ModelInstancePayload, { description: 'Changes an instance. Needs scope CATALOGUE.' })
  updateModelInstance(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UpdateModelInstanceInput) input: UpdateModelInstanceInput,
  ): Promise<ModelInstancePayload> {
    const id = requireGlobalId('ModelInstance', input.id);
    return payload(() =>
      services.modelInstances.update(viewer, id, input.version, toModelInstancePatch(input)),
    );
  }

  @Mutation(() => ModelInstancePayload, {
    description: 'Deletes an instance; completions that it served stay. Needs scope CATALOGUE.',
  })
  deleteModelInstance(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => DeleteRowInput) { id, version }: DeleteRowInput,
  ): Promise<ModelInstancePayload> {
    return payload(() =>
      services.modelInstances.remove(viewer, requireGlobalId('ModelInstance', id), version),
    );
  }

  @FieldResolver(() => ProviderConfigType, {
    nullable: true,
    description: 'The config that it calls through.',
  })
  async config(
    @Root() instance: ModelInstanceType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ProviderConfigType | null> {
    const row = await loaders.catalogue.byId('provider_config', instance.configRowId);
    return row ? toProviderConfigType(row) : null;
  }

  @FieldResolver(() => ModelSpecType, {
    nullable: true,
    description: 'Its model, as your workspace sees it; null if it is no longer in the catalogue.',
  })
  async model(
    @Root() instance: ModelInstanceType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ModelSpecType | null> {
    const row = await loaders.catalogue.byName('model_spec', instance.canonicalId);
    return row ? toModelSpecType(row) : null;
  }
}

function payload(
  change: () => Promise<Parameters<typeof toModelInstanceType>[0]>,
): Promise<ModelInstancePayload> {
  return asUserErrors<ModelInstancePayload>({ modelInstance: null }, async () => ({
    modelInstance: toModelInstanceType(await change()),
  }));
}
