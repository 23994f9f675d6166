// Owns the queries and mutations of workspaces and their members, and the query of the viewer.
import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { asUserErrors } from '../user-error.ts';
import {
  CreateWorkspaceInput,
  RotateSecretsInput,
  SetMemberInput,
  toFields,
  UpdateWorkspaceInput,
} from './identity.input.ts';
import {
  MemberPayload,
  MemberType,
  RotateSecretsPayload,
  toMemberType,
  toViewerType,
  toWorkspaceType,
  ViewerType,
  WorkspacePayload,
  WorkspaceType,
} from './identity.type.ts';

@Resolver()
export class IdentityResolver {
  @Query(() => ViewerType, { description: 'The caller that your credential stands for.' })
  viewer(@Ctx() { viewer }: GraphContext): ViewerType {
    return toViewerType(viewer);
  }

  @Query(() => [WorkspaceType], {
    description: 'Your workspace; for administrators of the installation, all workspaces.',
  })
  async workspaces(@Ctx() { viewer, services }: GraphContext): Promise<WorkspaceType[]> {
    return (await services.identity.workspaces(viewer)).map(toWorkspaceType);
  }

  @Query(() => [MemberType], {
    description:
      'Callers who sign in by JWT and for whom limits or models were set, ordered by subject. Needs scope ADMIN.',
  })
  async members(@Ctx() { viewer, services }: GraphContext): Promise<MemberType[]> {
    return (await services.identity.members(viewer)).map(toMemberType);
  }

  @Mutation(() => WorkspacePayload, {
    description: 'Makes a workspace. For administrators of the installation.',
  })
  createWorkspace(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => CreateWorkspaceInput) input: CreateWorkspaceInput,
  ): Promise<WorkspacePayload> {
    return asUserErrors<WorkspacePayload>({ workspace: null }, async () => {
      return { workspace: toWorkspaceType(await services.identity.createWorkspace(viewer, toFields(input))) };
    });
  }

  @Mutation(() => WorkspacePayload, {
    description:
      'Changes a workspace. Needs scope ADMIN; its limits are set by administrators of the installation.',
  })
  updateWorkspace(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UpdateWorkspaceInput) input: UpdateWorkspaceInput,
  ): Promise<WorkspacePayload> {
    return asUserErrors<WorkspacePayload>({ workspace: null }, async () => {
      const { id, ...patch } = toFields(input);
      const changed = await services.identity.updateWorkspace(
        viewer,
        requireGlobalId('Workspace', id),
        patch,
      );
      return { workspace: toWorkspaceType(changed) };
    });
  }

  @Mutation(() => RotateSecretsPayload, {
    description:
      'Encrypts every provider secret again with the first key of SECRET_KEYS, while completions go on; afterwards the other keys can be removed. For administrators of the installation.',
  })
  async rotateSecrets(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => RotateSecretsInput, { nullable: true, description: 'Options.' })
    input?: RotateSecretsInput,
  ): Promise<RotateSecretsPayload> {
    return { ...(await services.secrets.rotate(viewer, input?.dryRun ?? false)), userErrors: [] };
  }

  @Mutation(() => MemberPayload, {
    description: 'Sets the limits and allowed models of a caller who signs in by JWT. Needs scope ADMIN.',
  })
  setMember(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => SetMemberInput) input: SetMemberInput,
  ): Promise<MemberPayload> {
    return asUserErrors<MemberPayload>({ member: null }, async () => {
      const { subject, ...fields } = toFields(input);
      return { member: toMemberType(await services.identity.setMember(viewer, subject, fields)) };
    });
  }
}
