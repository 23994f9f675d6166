// Owns how model instances are shown.
import { Field, Int, ObjectType } from 'type-graphql';
import type { ModelInstanceRow } from '../../domain/catalogue/snapshot.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { connectionOf } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar, JsonObjectScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';
import { SetupOrigin } from './catalogue.enums.ts';
import { RetryPolicyType, toRetryPolicyType } from './retry-policy.type.ts';
import { TimeLimitsType, toTimeLimitsType } from './time-limits.type.ts';

@ObjectType('ModelInstance', {
  implements: NodeType,
  description:
    'What applications call: a model through a config, with a name, defaults and a place in the routing.',
  simpleResolvers: true,
})
export class ModelInstanceType extends NodeType {
  /** Row id of its config, for the loaders. */
  configRowId!: string;

  @Field(() => String, { description: 'Its name in `CompletionInput.model`, unique in the workspace.' })
  slug!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => String, { description: 'Canonical id of its model.' })
  canonicalId!: string;

  @Field(() => Int, { description: 'Instances with a higher number are called first.' })
  priority!: number;

  @Field(() => Int, {
    description: 'Share of the calls among instances of the same priority; 0: it is called after all others.',
  })
  weight!: number;

  @Field(() => [String], { description: 'Short words; `tag:<name>` calls any instance with that tag.' })
  tags!: string[];

  @Field(() => JsonObjectScalar, { description: 'Parameters for calls that leave them out.' })
  defaultParameters!: JsonObject;

  @Field(() => JsonObjectScalar, { description: 'Your own data, stored with it.' })
  customFields!: JsonObject;

  @Field(() => TimeLimitsType, {
    description: 'How long its calls may take; these limits override the config’s.',
  })
  timeLimits!: TimeLimitsType;

  @Field(() => RetryPolicyType, { description: 'How often calls are tried again.' })
  retryPolicy!: RetryPolicyType;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it costs nothing; null: as its provider says.',
  })
  free!: boolean | null;

  @Field(() => Boolean, { description: 'Whether it may be called.' })
  enabled!: boolean;

  @Field(() => SetupOrigin, { description: 'Who set it up.' })
  origin!: SetupOrigin;

  @Field(() => Int, {
    description: 'Grows with each change; an update names the version that it was based on.',
  })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When it was last changed.' })
  updatedAt!: Date;
}

export const ModelInstanceConnection = connectionOf(() => ModelInstanceType, 'ModelInstance');

@ObjectType('ModelInstancePayload', { description: 'A model instance.', simpleResolvers: true })
export class ModelInstancePayload {
  @Field(() => ModelInstanceType, {
    nullable: true,
    description: 'The object as it is now, or as it was before its deletion; null if there are `userErrors`.',
  })
  modelInstance!: ModelInstanceType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toModelInstanceType(row: ModelInstanceRow): ModelInstanceType {
  return {
    id: toGlobalId('ModelInstance', row.id),
    configRowId: row.configId,
    slug: row.slug,
    displayName: row.displayName,
    canonicalId: row.canonicalId,
    priority: row.priority,
    weight: row.weight,
    tags: row.tags,
    defaultParameters: row.defaultParameters,
    customFields: row.customFields,
    timeLimits: toTimeLimitsType(row.timeLimits),
    retryPolicy: toRetryPolicyType(row.retryPolicy),
    free: row.free ?? null,
    enabled: row.enabled,
    origin: row.origin as SetupOrigin,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
