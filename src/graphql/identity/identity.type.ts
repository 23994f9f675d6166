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
  description: 'A tenant: it owns configs, instances, keys and completions.',
  simpleResolvers: true,
})
export class WorkspaceType extends NodeType {
  @Field(() => String, { description: 'Its name in addresses and logs.' })
  slug!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => CallLimitsType, { description: 'Bounds on all its callers together.' })
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

  @Field(() => String, { description: 'How the key begins, to tell one from another.' })
  prefix!: string;

  @Field(() => [ApiKeyScope], { description: 'What it may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => [String], {
    description:
      'Slugs, canonical ids, `<provider>/*` and `tag:<name>` that it may call; empty: every model.',
  })
  allowedModels!: string[];

  @Field(() => CallLimitsType, { description: 'Its own bounds; null: the installation’s default.' })
  limits!: ShownLimits;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When its text was last changed.' })
  rotatedAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Until when the text from before the last rotation works too.',
  })
  previousExpiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it stops working by itself.' })
  expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked.' })
  revokedAt!: Date | null;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;
}

@ObjectType('Member', {
  description: 'Somebody who signs in by JWT, as far as something was set for the token’s subject.',
  simpleResolvers: true,
})
export class MemberType {
  @Field(() => String, { description: 'The token’s `sub`.' })
  subject!: string;

  @Field(() => [String], {
    description: 'Slugs, canonical ids, `<provider>/*` and `tag:<name>` to call; empty: every model.',
  })
  allowedModels!: string[];

  @Field(() => CallLimitsType, { description: 'Its own bounds; null: the installation’s default.' })
  limits!: ShownLimits;
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

  @Field(() => [String], {
    nullable: true,
    description:
      'Slugs, canonical ids, `<provider>/*` and `tag:<name>` that you may call; null: every model.',
  })
  allowedModels!: string[] | null;

  @Field(() => CallLimitsType, { description: 'Bounds on your completions.' })
  limits!: ShownLimits;
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

@ObjectType('MemberPayload', { description: 'A member.', simpleResolvers: true })
export class MemberPayload {
  @Field(() => MemberType, { nullable: true, description: 'The member; null if there are `userErrors`.' })
  member!: MemberType | null;

  @Field(() => [UserErrorType], { description: 'What you can mend.' })
  userErrors!: UserErrorType[];
}

@ObjectType('RotateSecretsPayload', { description: 'What was sealed anew.', simpleResolvers: true })
export class RotateSecretsPayload {
  @Field(() => String, { description: 'Id of the key that seals every secret now.' })
  keyId!: string;

  @Field(() => Int, { description: 'Configs whose secrets another key had sealed.' })
  resealed!: number;

  @Field(() => [UserErrorType], { description: 'What you can mend.' })
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
