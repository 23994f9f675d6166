// Owns the queries and mutations of workspaces and API keys.
import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { asUserErrors } from '../user-error.ts';
import {
  ApiKeyPayload,
  ApiKeyType,
  CreateApiKeyInput,
  CreateWorkspaceInput,
  RevokeApiKeyInput,
  toApiKeyType,
  toViewerType,
  toWorkspaceType,
  ViewerType,
  WorkspacePayload,
  WorkspaceType,
} from './identity.type.ts';

@Resolver()
export class IdentityResolver {
  @Query(() => ViewerType, { description: 'Who you are here.' })
  viewer(@Ctx() { viewer }: GraphContext): ViewerType {
    return toViewerType(viewer);
  }

  @Query(() => [WorkspaceType], {
    description: 'Your workspace; all of them for an administrator of the installation.',
  })
  async workspaces(@Ctx() { viewer, services }: GraphContext): Promise<WorkspaceType[]> {
    return (await services.identity.workspaces(viewer)).map(toWorkspaceType);
  }

  @Query(() => [ApiKeyType], { description: 'The keys of your workspace, oldest first. Needs scope ADMIN.' })
  async apiKeys(@Ctx() { viewer, services }: GraphContext): Promise<ApiKeyType[]> {
    return (await services.identity.apiKeys(viewer)).map(toApiKeyType);
  }

  @Mutation(() => WorkspacePayload, {
    description: 'Makes a workspace. For administrators of the installation.',
  })
  createWorkspace(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateWorkspaceInput) input: CreateWorkspaceInput,
  ): Promise<WorkspacePayload> {
    const { slug, displayName } = input;
    return asUserErrors<WorkspacePayload>({ workspace: null }, async () => ({
      workspace: toWorkspaceType(
        await services.identity.createWorkspace(viewer, {
          slug,
          ...(displayName == null ? {} : { displayName }),
        }),
      ),
    }));
  }

  @Mutation(() => ApiKeyPayload, {
    description: 'Makes an API key; its text is shown this once. Needs scope ADMIN.',
  })
  createApiKey(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateApiKeyInput) { name, scopes, expiresAt, workspaceId }: CreateApiKeyInput,
  ): Promise<ApiKeyPayload> {
    return asUserErrors<ApiKeyPayload>({ apiKey: null, secret: null }, async () => {
      const created = await services.identity.createApiKey(viewer, {
        name,
        scopes,
        ...(expiresAt == null ? {} : { expiresAt }),
        ...(workspaceId == null ? {} : { workspaceId: requireGlobalId('Workspace', workspaceId) }),
      });
      return { apiKey: toApiKeyType(created.apiKey), secret: created.secret };
    });
  }

  @Mutation(() => ApiKeyPayload, {
    description:
      'Makes a key useless, on every node within a second. Its completions go on. Needs scope ADMIN.',
  })
  async revokeApiKey(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => RevokeApiKeyInput) { id }: RevokeApiKeyInput,
  ): Promise<ApiKeyPayload> {
    const revoked = await services.identity.revokeApiKey(viewer, requireGlobalId('ApiKey', id));
    return { apiKey: toApiKeyType(revoked), secret: null, userErrors: [] };
  }
}
