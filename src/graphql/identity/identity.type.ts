// Owns how workspaces, API keys and the viewer are shown.
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { ApiKeyRow, WorkspaceRow } from '../../domain/identity/identity-service.ts';
import type { Viewer } from '../../domain/identity/viewer.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';

export enum ApiKeyScope {
  ADMIN = 'admin',
  CATALOGUE = 'catalogue',
  RUN = 'run',
  READ = 'read',
}
registerEnumType(ApiKeyScope, {
  name: 'Scope',
  description: 'What an API key may do.',
  valuesConfig: {
    ADMIN: {
      description:
        'Everything in its workspace; in the workspace `default` also the installation’s own rows.',
    },
    CATALOGUE: { description: 'Change providers, configs, models and instances.' },
    RUN: { description: 'Start completions, and see its own.' },
    READ: { description: 'See everything of the workspace, and change nothing.' },
  },
});

@ObjectType('Workspace', {
  implements: NodeType,
  description: 'A tenant: it owns configs, instances, keys and completions.',
  simpleResolvers: true,
})
export class WorkspaceType extends NodeType {
  @Field(() => String, { description: 'Its name in addresses and logs.' })
  slug!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When it was last changed.' })
  updatedAt!: Date;
}

@ObjectType('ApiKey', {
  implements: NodeType,
  description: 'A key by which applications and people sign in. Its text is shown once, when it is made.',
  simpleResolvers: true,
})
export class ApiKeyType extends NodeType {
  @Field(() => String, { description: 'What it is for.' })
  name!: string;

  @Field(() => String, { description: 'How the key begins, to tell one from another.' })
  prefix!: string;

  @Field(() => [ApiKeyScope], { description: 'What it may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it stops working by itself.' })
  expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked.' })
  revokedAt!: Date | null;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;
}

@ObjectType('Viewer', { description: 'Who you are here.', simpleResolvers: true })
export class ViewerType {
  @Field(() => ID, { description: 'Id of your workspace.' })
  workspaceId!: string;

  @Field(() => String, { description: 'Who you are inside the workspace; completions belong to it.' })
  caller!: string;

  @Field(() => [ApiKeyScope], { description: 'What you may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => Boolean, { description: 'Whether you may change the installation’s own rows.' })
  installationAdmin!: boolean;
}

@InputType({ description: 'A new workspace.' })
export class CreateWorkspaceInput {
  @Field(() => String, { description: '1 to 64 of a-z, 0-9, ".", "_" and "-"; unique.' })
  slug!: string;

  @Field(() => String, { nullable: true, description: 'Its name for people. Default: the slug.' })
  displayName?: string;
}

@InputType({ description: 'A new API key.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'What it is for.' })
  name!: string;

  @Field(() => [ApiKeyScope], { description: 'What it may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it is to stop working by itself.' })
  expiresAt?: Date;

  @Field(() => ID, {
    nullable: true,
    description: 'Another workspace than yours; for administrators of the installation.',
  })
  workspaceId?: string;
}

@InputType({ description: 'Which key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'Id of the key.' })
  id!: string;
}

@ObjectType('WorkspacePayload', { description: 'A workspace.', simpleResolvers: true })
export class WorkspacePayload {
  @Field(() => WorkspaceType, {
    nullable: true,
    description: 'The workspace; null if there are `userErrors`.',
  })
  workspace!: WorkspaceType | null;

  @Field(() => [UserErrorType], { description: 'What you can mend.' })
  userErrors!: UserErrorType[];
}

@ObjectType('ApiKeyPayload', { description: 'An API key.', simpleResolvers: true })
export class ApiKeyPayload {
  @Field(() => ApiKeyType, { nullable: true, description: 'The key; null if there are `userErrors`.' })
  apiKey!: ApiKeyType | null;

  @Field(() => String, { nullable: true, description: 'The key’s text. Keep it: it is never shown again.' })
  secret!: string | null;

  @Field(() => [UserErrorType], { description: 'What you can mend.' })
  userErrors!: UserErrorType[];
}

export function toWorkspaceType(row: WorkspaceRow): WorkspaceType {
  const { slug, displayName, createdAt, updatedAt } = row;
  return { id: toGlobalId('Workspace', row.id), slug, displayName, createdAt, updatedAt };
}

export function toApiKeyType(row: ApiKeyRow): ApiKeyType {
  const { name, prefix, createdAt } = row;
  return {
    id: toGlobalId('ApiKey', row.id),
    name,
    prefix,
    scopes: row.scopes as ApiKeyScope[],
    expiresAt: row.expiresAt ?? null,
    revokedAt: row.revokedAt ?? null,
    createdAt,
  };
}

export function toViewerType(viewer: Viewer): ViewerType {
  return {
    workspaceId: toGlobalId('Workspace', viewer.workspaceId),
    caller: viewer.caller,
    scopes: [...viewer.scopes] as ApiKeyScope[],
    installationAdmin: viewer.installationAdmin,
  };
}
