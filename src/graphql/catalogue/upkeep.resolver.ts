// Owns the mutations that call providers and public lists on demand: health checks, model syncs and the refresh of the catalogue.
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { asUserErrors } from '../user-error.ts';
import {
  RefreshCatalogueInput,
  RefreshCataloguePayload,
  toCatalogueRefreshType,
  toSourceNames,
} from './catalogue-refresh.type.ts';
import { ModelSyncType, SyncModelsInput, SyncModelsPayload, toModelSyncType } from './model-sync.type.ts';
import { ProviderConfigPayload, ProviderConfigType, toProviderConfigType } from './provider-config.type.ts';

@InputType({ description: 'Which provider config to check.' })
export class CheckProviderConfigInput {
  @Field(() => ID, { description: 'Id of the config.' })
  id!: string;
}

@Resolver(() => ModelSyncType)
export class UpkeepResolver {
  @Mutation(() => ProviderConfigPayload, {
    description:
      'Asks the provider whether address and credentials work; `health` has the result. Costs nothing, takes at most ten seconds. Needs scope CATALOGUE.',
  })
  checkProviderConfig(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CheckProviderConfigInput) input: CheckProviderConfigInput,
  ): Promise<ProviderConfigPayload> {
    const id = requireGlobalId('ProviderConfig', input.id);
    return asUserErrors<ProviderConfigPayload>({ providerConfig: null }, async () => ({
      providerConfig: toProviderConfigType(await services.providerChecks.check(viewer, id)),
    }));
  }

  @Mutation(() => SyncModelsPayload, {
    description:
      'Asks providers for the models that your credentials can see, and brings the workspace’s model specs up to date; fields that you edited stay. Needs scope CATALOGUE.',
  })
  syncModels(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => SyncModelsInput) { configId, ...options }: SyncModelsInput,
  ): Promise<SyncModelsPayload> {
    const id = configId == null ? undefined : requireGlobalId('ProviderConfig', configId);
    return asUserErrors<SyncModelsPayload>({ syncs: [] }, async () => ({
      syncs: (await services.modelSyncs.sync(viewer, id, options)).map(toModelSyncType),
    }));
  }

  @Mutation(() => RefreshCataloguePayload, {
    description:
      'Brings the installation’s models and prices up to date from public lists; each new price is a version of its own. For administrators of the installation.',
  })
  refreshCatalogue(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => RefreshCatalogueInput) { sources }: RefreshCatalogueInput,
  ): Promise<RefreshCataloguePayload> {
    return asUserErrors<RefreshCataloguePayload>({ refreshes: [] }, async () => ({
      refreshes: (await services.catalogueRefreshes.refresh(viewer, toSourceNames(sources))).map(
        toCatalogueRefreshType,
      ),
    }));
  }

  @Subscription(() => ModelSyncType, {
    description: 'A model sync as it is now, then each change of it, up to its end.',
    subscribe: ({ args, context }) => modelSyncProgress(args.id as string, context as GraphContext),
  })
  modelSyncProgress(
    @Root() sync: ModelSyncType,
    @Arg('id', () => ID, { description: 'Id of the sync.' }) _id: string,
  ): ModelSyncType {
    return sync;
  }

  @FieldResolver(() => ProviderConfigType, {
    nullable: true,
    description: 'The config whose provider is asked.',
  })
  async config(
    @Root() sync: ModelSyncType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ProviderConfigType | null> {
    const row = await loaders.catalogue.byId('provider_config', sync.configId);
    return row ? toProviderConfigType(row) : null;
  }
}

async function* modelSyncProgress(
  id: string,
  { viewer, services }: GraphContext,
): AsyncGenerator<ModelSyncType> {
  const steps = await services.modelSyncs.progress(viewer, requireGlobalId('ModelSync', id));
  for await (const sync of steps) yield toModelSyncType(sync);
}
