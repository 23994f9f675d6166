// Owns the inputs of workspaces, API keys and members.
import { Field, ID, InputType, Int } from 'type-graphql';
import type { CallLimits } from '../../kernel/call-limits.ts';
import { withoutNulls } from '../input-values.ts';
import { DateTimeScalar } from '../scalars.ts';
import { CallLimitsInput, type GivenLimits } from './call-limits.type.ts';
import { ApiKeyScope } from './identity.type.ts';

const ALLOWED_MODELS =
  'What it may call: slugs, canonical ids, `<provider>/*` and `tag:<name>`. If empty or left out: every model.';
const RETENTION =
  'For how many days prompts and outputs are kept, 0 to 36,500; 0: until a completion can no longer be replayed. Default: 30.';

@InputType({ description: 'A new workspace.' })
export class CreateWorkspaceInput {
  @Field(() => String, { description: '1 to 64 of a-z, 0-9, ".", "_" and "-"; unique.' })
  slug!: string;

  @Field(() => String, { nullable: true, description: 'Its name for people. Default: the slug.' })
  displayName?: string | null;

  @Field(() => CallLimitsInput, {
    nullable: true,
    description: 'Limits on all its callers together. Default: none.',
  })
  limits?: GivenLimits | null;

  @Field(() => Int, { nullable: true, description: RETENTION })
  contentRetentionDays?: number | null;
}

@InputType({ description: 'Changes of a workspace; a field that is left out stays unchanged.' })
export class UpdateWorkspaceInput {
  @Field(() => ID, { description: 'Id of the workspace.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Its name for people.' })
  displayName?: string | null;

  @Field(() => CallLimitsInput, {
    nullable: true,
    description:
      'Limits on all its callers together, which replace all earlier ones. For administrators of the installation only.',
  })
  limits?: GivenLimits | null;

  @Field(() => Int, { nullable: true, description: RETENTION })
  contentRetentionDays?: number | null;
}

@InputType({ description: 'A new API key.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'What it is for.' })
  name!: string;

  @Field(() => [ApiKeyScope], { description: 'What it may do.' })
  scopes!: ApiKeyScope[];

  @Field(() => [String], { nullable: true, description: ALLOWED_MODELS })
  allowedModels?: string[] | null;

  @Field(() => CallLimitsInput, {
    nullable: true,
    description: 'Its own limits. Default: the installation’s.',
  })
  limits?: GivenLimits | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it expires. Default: never.' })
  expiresAt?: Date | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Id of another workspace than yours; for administrators of the installation only.',
  })
  workspaceId?: string | null;
}

@InputType({
  description: 'Changes of an API key; a field that is left out stays unchanged, and so does the key’s text.',
})
export class UpdateApiKeyInput {
  @Field(() => ID, { description: 'Id of the key.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  name?: string | null;

  @Field(() => [ApiKeyScope], { nullable: true, description: 'What it may do.' })
  scopes?: ApiKeyScope[] | null;

  @Field(() => [String], { nullable: true, description: ALLOWED_MODELS })
  allowedModels?: string[] | null;

  @Field(() => CallLimitsInput, {
    nullable: true,
    description: 'Its own limits, which replace all earlier ones.',
  })
  limits?: GivenLimits | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When it expires; null: never.',
  })
  expiresAt?: Date | null;
}

@InputType({ description: 'Which key is to get a new text.' })
export class RotateApiKeyInput {
  @Field(() => ID, { description: 'Id of the key.' })
  id!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'For how many seconds the old text stays valid, 0 to 2,592,000. Default: 86,400 (a day).',
  })
  overlapSeconds?: number | null;
}

@InputType({ description: 'The limits and allowed models of a caller who signs in by JWT.' })
export class SetMemberInput {
  @Field(() => String, { description: 'The token’s `sub`.' })
  subject!: string;

  @Field(() => [String], { nullable: true, description: ALLOWED_MODELS })
  allowedModels?: string[] | null;

  @Field(() => CallLimitsInput, {
    nullable: true,
    description: 'Its own limits. Default: the installation’s.',
  })
  limits?: GivenLimits | null;
}

@InputType({ description: 'Which key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'Id of the key.' })
  id!: string;
}

@InputType({ description: 'How to encrypt the secrets again.' })
export class RotateSecretsInput {
  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: counts the secrets that would be encrypted again, and changes nothing. Default false.',
  })
  dryRun?: boolean | null;
}

type WithLimits = { limits?: GivenLimits | null };

/** The fields that were given: null counts as left out, within the limits too. */
export function toFields<Input extends WithLimits>(
  input: Input,
): Omit<{ [Name in keyof Input]: Exclude<Input[Name], null> }, 'limits'> & { limits?: CallLimits } {
  const { limits, ...fields } = withoutNulls(input);
  return { ...fields, ...(limits ? { limits: withoutNulls(limits) as CallLimits } : {}) };
}
