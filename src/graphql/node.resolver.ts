// Owns finding objects by their global ids.
import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { GatewayError } from '../kernel/errors.ts';
import { toModelInstanceType } from './catalogue/model-instance.type.ts';
import { toModelSpecType } from './catalogue/model-spec.type.ts';
import { toModelSyncType } from './catalogue/model-sync.type.ts';
import { toProviderConfigType } from './catalogue/provider-config.type.ts';
import { toProviderSpecType } from './catalogue/provider-spec.type.ts';
import { toCompletionType } from './completions/completion.type.ts';
import type { GraphContext } from './context.ts';
import { readGlobalId } from './global-id.ts';
import { toApiKeyType, toWorkspaceType } from './identity/identity.type.ts';
import { NodeType } from './node.type.ts';

const MAX_NODES = 100;

type Find = (context: GraphContext, id: string) => Promise<NodeType | undefined>;

const FINDERS: Readonly<Record<string, Find>> = {
  ProviderSpec: async ({ loaders }, id) =>
    shown(await loaders.catalogue.byId('provider_spec', id), toProviderSpecType),
  ProviderConfig: async ({ loaders }, id) =>
    shown(await loaders.catalogue.byId('provider_config', id), toProviderConfigType),
  ModelSpec: async ({ loaders }, id) =>
    shown(await loaders.catalogue.byId('model_spec', id), toModelSpecType),
  ModelInstance: async ({ loaders }, id) =>
    shown(await loaders.catalogue.byId('model_instance', id), toModelInstanceType),
  ModelSync: async ({ viewer, services }, id) =>
    shown((await services.modelSyncs.find(viewer, id)) ?? undefined, toModelSyncType),
  Completion: async ({ loaders }, id) => shown(await loaders.completions.load(id), toCompletionType),
  Workspace: async ({ viewer, services }, id) =>
    shown(
      (await services.identity.workspaces(viewer)).find((row) => row.id === id),
      toWorkspaceType,
    ),
  ApiKey: async ({ viewer, services }, id) =>
    shown(
      (await services.apiKeys.list(viewer)).find((row) => row.id === id),
      toApiKeyType,
    ),
};

@Resolver()
export class NodeResolver {
  @Query(() => NodeType, { nullable: true, description: 'The object with this id, if you may see it.' })
  node(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'Global id of an object.' }) id: string,
  ): Promise<NodeType> {
    return find(context, id);
  }

  @Query(() => [NodeType], {
    nullable: 'items',
    description:
      'The objects with these ids, at most 100, in the order of the ids; null, with an error, for an id that does not exist.',
  })
  nodes(
    @Ctx() context: GraphContext,
    @Arg('ids', () => [ID], { description: 'Global ids of objects.' }) ids: string[],
  ): Promise<(NodeType | Error)[]> {
    if (ids.length > MAX_NODES) {
      throw new GatewayError('BAD_USER_INPUT', `ids: at most ${MAX_NODES} are taken`, { path: 'ids' });
    }
    // DataLoader takes an Error in the list as the failure of that one id.
    return Promise.all(ids.map((id) => find(context, id).catch((error: Error) => error)));
  }
}

async function find(context: GraphContext, globalId: string): Promise<NodeType> {
  const parsed = readGlobalId(globalId);
  const node = parsed && (await FINDERS[parsed.type]?.(context, parsed.id));
  if (!node) throw new GatewayError('NOT_FOUND', 'There is nothing with this id');
  return node;
}

function shown<Row, Node>(row: Row | undefined, toNode: (row: Row) => Node): Node | undefined {
  return row === undefined ? undefined : toNode(row);
}
