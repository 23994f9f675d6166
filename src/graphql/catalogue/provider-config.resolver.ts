// Owns the queries and mutations of provider configs.
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { GatewayError } from '../../kernel/errors.ts';
import { type Connection, ConnectionArgs } from '../connection.ts';
import type { GraphContext } from '../context.ts';
import { readGlobalId, requireGlobalId } from '../global-id.ts';
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
  CreateProviderConfigInput,
  ProviderConfigFilterInput,
  ProviderConfigOrderField,
  ProviderConfigOrderInput,
  toProviderConfigFilter,
  toProviderConfigPatch,
  UpdateProviderConfigInput,
} from './provider-config.input.ts';
import {
  ProviderConfigConnection,
  ProviderConfigPayload,
  ProviderConfigType,
  toProviderConfigType,
} from './provider-config.type.ts';
import { ProviderSpecType, toProviderSpecType } from './provider-spec.type.ts';

@Resolver(() => ProviderConfigType)
export class ProviderConfigResolver {
  @Query(() => ProviderConfigConnection, {
    description: 'Your workspace’s credentials for providers, by name.',
  })
  providerConfigs(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => ProviderConfigFilterInput, { nullable: true, description: 'Which entries to list.' })
    filter?: ProviderConfigFilterInput,
    @Arg('orderBy', () => ProviderConfigOrderInput, { nullable: true, description: 'Default: NAME ASC.' })
    orderBy?: ProviderConfigOrderInput,
  ): Promise<Connection<ProviderConfigType>> {
    return readPage(context, info, {
      table: 'provider_config',
      args,
      filter: toProviderConfigFilter(filter),
      order: toOrder(orderBy, ProviderConfigOrderField.NAME),
      toNode: toProviderConfigType,
    });
  }

  @Query(() => ProviderConfigType, { nullable: true, description: 'One config, by `id` or by `name`.' })
  async providerConfig(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { nullable: true, description: 'The object’s id.' }) id?: string,
    @Arg('name', () => String, { nullable: true, description: 'Its name.' }) name?: string,
  ): Promise<ProviderConfigType> {
    return toProviderConfigType(await lookUp(context, 'provider_config', id, 'name', name));
  }

  @Mutation(() => ProviderConfigPayload, {
    description: 'Stores credentials for a provider. Needs scope CATALOGUE.',
  })
  createProviderConfig(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateProviderConfigInput) input: CreateProviderConfigInput,
  ): Promise<ProviderConfigPayload> {
    return payload(async () => {
      const fields = { ...toProviderConfigPatch(input), name: input.name };
      return services.providerConfigs.create(viewer, providerOf(input), fields, input.withDefaultModel);
    });
  }

  @Mutation(() => ProviderConfigPayload, {
    description:
      'Changes a config. If the address changes, a key without scope ADMIN has to give the secret again. Needs scope CATALOGUE.',
  })
  updateProviderConfig(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UpdateProviderConfigInput) input: UpdateProviderConfigInput,
  ): Promise<ProviderConfigPayload> {
    const id = requireGlobalId('ProviderConfig', input.id);
    return payload(() =>
      services.providerConfigs.update(viewer, id, input.version, toProviderConfigPatch(input)),
    );
  }

  @Mutation(() => ProviderConfigPayload, {
    description: 'Deletes a config that no instance uses. Needs scope CATALOGUE.',
  })
  deleteProviderConfig(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => DeleteRowInput) { id, version }: DeleteRowInput,
  ): Promise<ProviderConfigPayload> {
    return payload(() =>
      services.providerConfigs.remove(viewer, requireGlobalId('ProviderConfig', id), version),
    );
  }

  @FieldResolver(() => ProviderSpecType, {
    nullable: true,
    description: 'Its provider, as your workspace sees it.',
  })
  async provider(
    @Root() config: ProviderConfigType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ProviderSpecType | null> {
    const row = await loaders.catalogue.byName('provider_spec', config.providerKey);
    return row ? toProviderSpecType(row) : null;
  }

  @FieldResolver(() => [String], {
    description: 'Canonical ids of the models that the provider listed for this credential at the last sync.',
  })
  listedModels(
    @Root() config: ProviderConfigType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<readonly string[]> {
    return loaders.listedModels.load(readGlobalId(config.id)?.id ?? '');
  }

  @FieldResolver(() => ModelInstanceConnection, {
    description: 'Instances that use it, ordered by slug by default.',
  })
  instances(
    @Root() config: ProviderConfigType,
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
      parent: { column: 'config_id', value: readGlobalId(config.id)?.id ?? '' },
      toNode: toModelInstanceType,
    });
  }
}

function providerOf(input: CreateProviderConfigInput): { id: string } | { key: string } {
  const { providerKey, providerSpecId } = input;
  if ((providerKey == null) === (providerSpecId == null)) {
    throw new GatewayError(
      'BAD_USER_INPUT',
      'providerKey: give exactly one of "providerKey" and "providerSpecId"',
      {
        path: 'providerKey',
      },
    );
  }
  return providerKey == null
    ? { id: requireGlobalId('ProviderSpec', providerSpecId ?? '') }
    : { key: providerKey };
}

function payload(
  change: () => Promise<Parameters<typeof toProviderConfigType>[0]>,
): Promise<ProviderConfigPayload> {
  return asUserErrors<ProviderConfigPayload>({ providerConfig: null }, async () => ({
    providerConfig: toProviderConfigType(await change()),
  }));
}
