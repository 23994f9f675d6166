// Owns the queries and mutations of provider specs.
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
  ModelSpecFilterInput,
  ModelSpecOrderField,
  ModelSpecOrderInput,
  toModelSpecFilter,
} from './model-spec.input.ts';
import { ModelSpecConnection, type ModelSpecType, toModelSpecType } from './model-spec.type.ts';
import {
  ProviderConfigConnection,
  type ProviderConfigType,
  toProviderConfigType,
} from './provider-config.type.ts';
import {
  CreateProviderSpecInput,
  ProviderSpecFilterInput,
  ProviderSpecOrderField,
  ProviderSpecOrderInput,
  toProviderSpecFilter,
  toProviderSpecPatch,
  UpdateProviderSpecInput,
} from './provider-spec.input.ts';
import {
  ProviderSpecConnection,
  ProviderSpecPayload,
  ProviderSpecType,
  toProviderSpecType,
} from './provider-spec.type.ts';

@Resolver(() => ProviderSpecType)
export class ProviderSpecResolver {
  @Query(() => ProviderSpecConnection, {
    description: 'Kinds of providers, ordered by name by default.',
  })
  providerSpecs(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => ProviderSpecFilterInput, { nullable: true, description: 'Which entries to list.' })
    filter?: ProviderSpecFilterInput,
    @Arg('orderBy', () => ProviderSpecOrderInput, { nullable: true, description: 'Default: NAME ASC.' })
    orderBy?: ProviderSpecOrderInput,
  ): Promise<Connection<ProviderSpecType>> {
    return readPage(context, info, {
      table: 'provider_spec',
      args,
      filter: toProviderSpecFilter(filter),
      order: toOrder(orderBy, ProviderSpecOrderField.NAME),
      toNode: toProviderSpecType,
    });
  }

  @Query(() => ProviderSpecType, {
    nullable: true,
    description: 'One kind of provider, by `id` or by `key`.',
  })
  async providerSpec(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { nullable: true, description: 'The object’s id.' }) id?: string,
    @Arg('key', () => String, { nullable: true, description: 'Its key, e.g. `openai`.' }) key?: string,
  ): Promise<ProviderSpecType> {
    return toProviderSpecType(await lookUp(context, 'provider_spec', id, 'key', key));
  }

  @Mutation(() => ProviderSpecPayload, { description: 'Makes a kind of provider. Needs scope CATALOGUE.' })
  createProviderSpec(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateProviderSpecInput) input: CreateProviderSpecInput,
  ): Promise<ProviderSpecPayload> {
    const { key, displayName, protocol, owner } = input;
    const fields = { ...toProviderSpecPatch(input), displayName, protocol };
    return payload(services.providerSpecs.create(viewer, key, fields, owner));
  }

  @Mutation(() => ProviderSpecPayload, {
    description:
      'Changes a kind of provider. A workspace that changes a shared one gets its own row, which hides the shared one. Needs scope CATALOGUE.',
  })
  updateProviderSpec(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UpdateProviderSpecInput) input: UpdateProviderSpecInput,
  ): Promise<ProviderSpecPayload> {
    const { version, owner } = input;
    const id = requireGlobalId('ProviderSpec', input.id);
    return payload(services.providerSpecs.update(viewer, id, version, toProviderSpecPatch(input), owner));
  }

  @Mutation(() => ProviderSpecPayload, {
    description: 'Deletes a kind of provider that no config uses. Needs scope CATALOGUE.',
  })
  deleteProviderSpec(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => DeleteRowInput) { id, version }: DeleteRowInput,
  ): Promise<ProviderSpecPayload> {
    return payload(services.providerSpecs.remove(viewer, requireGlobalId('ProviderSpec', id), version));
  }

  @FieldResolver(() => ModelSpecConnection, {
    description: 'Models that it offers, ordered by name by default.',
  })
  models(
    @Root() spec: ProviderSpecType,
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
      parent: { column: 'provider_key', value: spec.key },
      toNode: toModelSpecType,
    });
  }

  @FieldResolver(() => ProviderConfigConnection, { description: 'Your workspace’s configs of it, by name.' })
  configs(
    @Root() spec: ProviderSpecType,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Connection<ProviderConfigType>> {
    return readPage(context, info, {
      table: 'provider_config',
      args,
      filter: {},
      order: { field: 'name', descending: false },
      parent: { column: 'provider_key', value: spec.key },
      toNode: toProviderConfigType,
    });
  }
}

function payload(changed: Promise<Parameters<typeof toProviderSpecType>[0]>): Promise<ProviderSpecPayload> {
  return asUserErrors<ProviderSpecPayload>({ providerSpec: null }, async () => ({
    providerSpec: toProviderSpecType(await changed),
  }));
}
