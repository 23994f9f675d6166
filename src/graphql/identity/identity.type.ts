// Owns how workspaces, API keys, members and the viewer are shown.
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ApiKeyRow } from '../../domain/identity/api-key-service.ts';
import type { MemberRow, WorkspaceRow } from '../../domain/identity/identity-service.ts';
import type { Viewer } from '../../domain/identity/viewer.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';
import { CallLimitsType, type ShownLimits, toShownLimits } from './call-limits.type.ts';

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
  description: 'A tenant: configs, instances, keys and completions belong to a workspace.',
  simpleResolvers: true,
})
export class WorkspaceType extends NodeType {
  @Field(() => String, { description: 'Its short name, unique in the installation.' })
  slug!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => CallLimitsType, { description: 'Limits on all its callers together.' })
  limits!: ShownLimits;

  @Field(() => Int, {
    description:
      'How many days prompts and outputs are kept; 0: until a completion can no longer be replayed. Usage, cost and routing stay.',
  })
  contentRetentionDays!: number;

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

  @Field(() => String, { description: 'The beginning of the key, by which people tell keys apart.' })
  prefix!: string;

  @Field(() => [ApiKeyScope], { description: 'What it may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => [String], {
    description:
      'Slugs, canonical ids, `<provider>/*` and `tag:<name>` that it may call; empty: every model.',
  })
  allowedModels!: string[];

  @Field(() => CallLimitsType, { description: 'Its own limits. A null field: the installation’s default.' })
  limits!: ShownLimits;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When its text was last changed.' })
  rotatedAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Until when the key’s text from before the last rotation stays valid.',
  })
  previousExpiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it expires; null: never.' })
  expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked.' })
  revokedAt!: Date | null;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;
}

@ObjectType('Member', {
  description: 'The settings of a caller who signs in by JWT, by the token’s subject.',
  simpleResolvers: true,
})
export class MemberType {
  @Field(() => String, { description: 'The token’s `sub`.' })
  subject!: string;

  @Field(() => [String], {
    description:
      'Slugs, canonical ids, `<provider>/*` and `tag:<name>` that it may call; empty: every model.',
  })
  allowedModels!: string[];

  @Field(() => CallLimitsType, { description: 'Its own limits. A null field: the installation’s default.' })
  limits!: ShownLimits;
}

@ObjectType('Viewer', { description: 'The caller that your credential stands for.', simpleResolvers: true })
export class ViewerType {
  @Field(() => ID, { description: 'Id of your workspace.' })
  workspaceId!: string;

  @Field(() => String, {
    description: 'The caller inside the workspace: `key:<id>` or `sub:<subject>`. Completions belong to it.',
  })
  caller!: string;

  @Field(() => [ApiKeyScope], { description: 'What you may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => Boolean, { description: 'Whether you may change the installation’s own rows.' })
  installationAdmin!: boolean;

  @Field(() => [String], {
    nullable: true,
    description:
      'Slugs, canonical ids, `<provider>/*` and `tag:<name>` that you may call; null: every model.',
  })
  allowedModels!: string[] | null;

  @Field(() => CallLimitsType, { description: 'Limits on your completions.' })
  limits!: ShownLimits;
}

@ObjectType('WorkspacePayload', { description: 'A workspace.', simpleResolvers: true })
export class WorkspacePayload {
  @Field(() => WorkspaceType, {
    nullable: true,
    description: 'The workspace; null if there are `userErrors`.',
  })
  workspace!: WorkspaceType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

@ObjectType('ApiKeyPayload', { description: 'An API key.', simpleResolvers: true })
export class ApiKeyPayload {
  @Field(() => ApiKeyType, { nullable: true, description: 'The key; null if there are `userErrors`.' })
  apiKey!: ApiKeyType | null;

  @Field(() => String, { nullable: true, description: 'The key’s text. Keep it: it is never shown again.' })
  secret!: string | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

@ObjectType('MemberPayload', { description: 'A member.', simpleResolvers: true })
export class MemberPayload {
  @Field(() => MemberType, { nullable: true, description: 'The member; null if there are `userErrors`.' })
  member!: MemberType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

@ObjectType('RotateSecretsPayload', {
  description: 'The result of encrypting the secrets again.',
  simpleResolvers: true,
})
export class RotateSecretsPayload {
  @Field(() => String, { description: 'Id of the key that encrypts every secret now.' })
  keyId!: string;

  @Field(() => Int, { description: 'Number of configs whose secrets another key had encrypted.' })
  resealed!: number;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toWorkspaceType(row: WorkspaceRow): WorkspaceType {
  const { slug, displayName, limits, contentRetentionDays, createdAt, updatedAt } = row;
  return {
    id: toGlobalId('Workspace', row.id),
    slug,
    displayName,
    limits: toShownLimits(limits),
    contentRetentionDays,
    createdAt,
    updatedAt,
  };
}

export function toMemberType({ subject, allowedModels, limits }: MemberRow): MemberType {
  return { subject, allowedModels, limits: toShownLimits(limits) };
}

export function toApiKeyType(row: ApiKeyRow): ApiKeyType {
  const { name, prefix, createdAt } = row;
  return {
    id: toGlobalId('ApiKey', row.id),
    name,
    prefix,
    scopes: row.scopes as ApiKeyScope[],
    allowedModels: row.allowedModels,
    limits: toShownLimits(row.limits),
    rotatedAt: row.rotatedAt ?? null,
    previousExpiresAt: row.previousExpiresAt ?? null,
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
    allowedModels: viewer.allowedModels ? [...viewer.allowedModels] : null,
    limits: toShownLimits(viewer.limits),
  };
}
