// Owns the queries and mutations of model specs and their prices.
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { libraryPrice } from '../../domain/billing/library-price.ts';
import { type Connection, ConnectionArgs } from '../connection.ts';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { asUserErrors } from '../user-error.ts';
import { readPage, toOrder } from './catalogue-page.ts';
import { DeleteRowInput } from './delete-row.input.ts';
import { lookUp } from './look-up.ts';
import {
  ModelInstanceFilterInput,
  ModelInstanceOrderField,
  ModelInstanceOrderInput,
  toModelInstanceFilter,
} from './model-instance.input.ts';
import {
  ModelInstanceConnection,
  type ModelInstanceType,
  toModelInstanceType,
} from './model-instance.type.ts';
import {
  CreateModelSpecInput,
  ModelSpecFilterInput,
  ModelSpecOrderField,
  ModelSpecOrderInput,
  toModelSpecFilter,
  toModelSpecPatch,
  UpdateModelSpecInput,
} from './model-spec.input.ts';
import { ModelSpecConnection, ModelSpecPayload, ModelSpecType, toModelSpecType } from './model-spec.type.ts';
import {
  PriceVersionType,
  SetPriceInput,
  toPriceFields,
  toPriceType,
  toPriceVersionType,
} from './price.type.ts';
import { ProviderSpecType, toProviderSpecType } from './provider-spec.type.ts';

@Resolver(() => ModelSpecType)
export class ModelSpecResolver {
  @Query(() => ModelSpecConnection, {
    description: 'Models that providers offer, ordered by name by default.',
  })
  modelSpecs(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => ModelSpecFilterInput, { nullable: true, description: 'Which entries to list.' })
    filter?: ModelSpecFilterInput,
    @Arg('orderBy', () => ModelSpecOrderInput, { nullable: true, description: 'Default: NAME ASC.' })
    orderBy?: ModelSpecOrderInput,
  ): Promise<Connection<ModelSpecType>> {
    return readPage(context, info, {
      table: 'model_spec',
      args,
      filter: toModelSpecFilter(context, filter),
      order: toOrder(orderBy, ModelSpecOrderField.NAME),
      toNode: toModelSpecType,
    });
  }

  @Query(() => ModelSpecType, { nullable: true, description: 'One model, by `id` or by `canonicalId`.' })
  async modelSpec(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { nullable: true, description: 'The object’s id.' }) id?: string,
    @Arg('canonicalId', () => String, {
      nullable: true,
      description: 'Its canonical id, e.g. `openai/gpt-4o`.',
    })
    canonicalId?: string,
  ): Promise<ModelSpecType> {
    return toModelSpecType(await lookUp(context, 'model_spec', id, 'canonicalId', canonicalId));
  }

  @Mutation(() => ModelSpecPayload, { description: 'Adds a model of a provider. Needs scope CATALOGUE.' })
  createModelSpec(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateModelSpecInput) input: CreateModelSpecInput,
  ): Promise<ModelSpecPayload> {
    const { providerKey, key, owner } = input;
    return payload(() =>
      services.modelSpecs.create(viewer, { providerKey, key }, toModelSpecPatch(input), owner),
    );
  }

  @Mutation(() => ModelSpecPayload, {
    description:
      'Changes a model. A workspace that changes a shared one gets its own row, which hides the shared one. Needs scope CATALOGUE.',
  })
  updateModelSpec(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UpdateModelSpecInput) input: UpdateModelSpecInput,
  ): Promise<ModelSpecPayload> {
    const { version, owner } = input;
    const id = requireGlobalId('ModelSpec', input.id);
    return payload(() => services.modelSpecs.update(viewer, id, version, toModelSpecPatch(input), owner));
  }

  @Mutation(() => ModelSpecPayload, {
    description: 'Deletes a model that no instance uses. Needs scope CATALOGUE.',
  })
  deleteModelSpec(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => DeleteRowInput) { id, version }: DeleteRowInput,
  ): Promise<ModelSpecPayload> {
    return payload(() => services.modelSpecs.remove(viewer, requireGlobalId('ModelSpec', id), version));
  }

  @Mutation(() => ModelSpecPayload, {
    description:
      'Sets the price of a model from now, or from a later moment. Needs scope CATALOGUE; where completions are paid for, scope ADMIN.',
  })
  setPrice(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => SetPriceInput) input: SetPriceInput,
  ): Promise<ModelSpecPayload> {
    const { canonicalId, owner } = input;
    return payload(() => services.prices.set(viewer, canonicalId, toPriceFields(input), owner));
  }

  @FieldResolver(() => ProviderSpecType, {
    nullable: true,
    description: 'Its provider, as your workspace sees it.',
  })
  async provider(
    @Root() model: ModelSpecType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ProviderSpecType | null> {
    const row = await loaders.catalogue.byName('provider_spec', model.providerKey);
    return row ? toProviderSpecType(row) : null;
  }

  @FieldResolver(() => PriceVersionType, {
    nullable: true,
    description: 'The price in force; null if none is known.',
  })
  async price(
    @Root() model: ModelSpecType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<PriceVersionType | null> {
    const now = Date.now();
    const versions = await loaders.catalogue.prices(model.canonicalId);
    const inForce = versions.find(({ effectiveAt }) => effectiveAt.getTime() <= now);
    if (inForce) return toPriceVersionType(inForce);
    const known = libraryPrice(model.canonicalId);
    return known ? toPriceType(known) : null;
  }

  @FieldResolver(() => [PriceVersionType], {
    description: 'All its prices, past, present and future; newest first.',
  })
  async prices(@Root() model: ModelSpecType, @Ctx() { loaders }: GraphContext): Promise<PriceVersionType[]> {
    return (await loaders.catalogue.prices(model.canonicalId)).map(toPriceVersionType);
  }

  @FieldResolver(() => ModelInstanceConnection, {
    description: 'Your workspace’s instances of it, ordered by slug by default.',
  })
  instances(
    @Root() model: ModelSpecType,
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
      parent: { column: 'canonical_id', value: model.canonicalId },
      toNode: toModelInstanceType,
    });
  }
}

function payload(change: () => Promise<Parameters<typeof toModelSpecType>[0]>): Promise<ModelSpecPayload> {
  return asUserErrors<ModelSpecPayload>({ modelSpec: null }, async () => ({
    modelSpec: toModelSpecType(await change()),
  }));
}
