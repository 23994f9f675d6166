// Owns the queries and mutations of API keys.
import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { GraphContext } from '../context.ts';
import { parseGlobalId, requireGlobalId } from '../global-id.ts';
import { DateTimeScalar } from '../scalars.ts';
import { asUserErrors } from '../user-error.ts';
import {
  CreateApiKeyInput,
  RevokeApiKeyInput,
  RotateApiKeyInput,
  toFields,
  UpdateApiKeyInput,
} from './identity.input.ts';
import { ApiKeyPayload, ApiKeyType, toApiKeyType } from './identity.type.ts';

const A_DAY_S = 86_400;

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  @Query(() => [ApiKeyType], { description: 'The keys of your workspace, oldest first. Needs scope ADMIN.' })
  async apiKeys(@Ctx() { viewer, services }: GraphContext): Promise<ApiKeyType[]> {
    return (await services.apiKeys.list(viewer)).map(toApiKeyType);
  }

  @Mutation(() => ApiKeyPayload, {
    description: 'Makes an API key and shows its text, which cannot be read again. Needs scope ADMIN.',
  })
  createApiKey(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput,
  ): Promise<ApiKeyPayload> {
    return asUserErrors<ApiKeyPayload>({ apiKey: null, secret: null }, async () => {
      const { workspaceId, ...fields } = toFields(input);
      const created = await services.apiKeys.create(
        viewer,
        fields,
        workspaceId === undefined ? undefined : requireGlobalId('Workspace', workspaceId),
      );
      return { apiKey: toApiKeyType(created.apiKey), secret: created.secret };
    });
  }

  @Mutation(() => ApiKeyPayload, {
    description: 'Changes what a key may do, on every node within a second. Needs scope ADMIN.',
  })
  updateApiKey(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UpdateApiKeyInput) input: UpdateApiKeyInput,
  ): Promise<ApiKeyPayload> {
    return asUserErrors<ApiKeyPayload>({ apiKey: null, secret: null }, async () => {
      const { id, ...patch } = toFields(input);
      const changed = await services.apiKeys.update(viewer, requireGlobalId('ApiKey', id), {
        ...patch,
        ...(input.expiresAt === null ? { expiresAt: null } : {}),
      });
      return { apiKey: toApiKeyType(changed), secret: null };
    });
  }

  @Mutation(() => ApiKeyPayload, {
    description:
      'Gives a key a new text, which cannot be read again. Its id, limits and completions stay; the old text stays valid for a while. Needs scope ADMIN.',
  })
  rotateApiKey(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => RotateApiKeyInput) { id, overlapSeconds }: RotateApiKeyInput,
  ): Promise<ApiKeyPayload> {
    return asUserErrors<ApiKeyPayload>({ apiKey: null, secret: null }, async () => {
      const rotated = await services.apiKeys.rotate(
        viewer,
        requireGlobalId('ApiKey', id),
        overlapSeconds ?? A_DAY_S,
      );
      return { apiKey: toApiKeyType(rotated.apiKey), secret: rotated.secret };
    });
  }

  @Mutation(() => ApiKeyPayload, {
    description:
      'Makes a key invalid on every node within a second: its sockets are closed, its completions go on. Needs scope ADMIN.',
  })
  async revokeApiKey(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => RevokeApiKeyInput) { id }: RevokeApiKeyInput,
  ): Promise<ApiKeyPayload> {
    const revoked = await services.apiKeys.revoke(viewer, requireGlobalId('ApiKey', id));
    return { apiKey: toApiKeyType(revoked), secret: null, userErrors: [] };
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description: 'When it was last used to sign in, exact to about ten seconds; null: never.',
  })
  async lastUsedAt(@Root() { id }: ApiKeyType, @Ctx() { loaders }: GraphContext): Promise<Date | null> {
    return (await loaders.keyUses.load(parseGlobalId('ApiKey', id) ?? '')) ?? null;
  }
}
