// Owns the inputs of model instances: filter, order, and what is made or changed.
import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import type { CatalogueFilters } from '../../domain/catalogue/catalogue-service.ts';
import type { ModelInstanceFields } from '../../domain/catalogue/model-instance-service.ts';
import type { Patch } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { GraphContext } from '../context.ts';
import { parseGlobalId } from '../global-id.ts';
import { orUnchanged, withoutNulls } from '../input-values.ts';
import { AvailabilityKind } from '../routing/availability.type.ts';
import { JsonObjectScalar } from '../scalars.ts';
import { SetupOrigin, SortDirection } from './catalogue.enums.ts';
import { ParametersInput, toParameters } from './parameters.input.ts';
import { RetryPolicyInput } from './retry-policy.type.ts';
import { TimeLimitsInput } from './time-limits.type.ts';

export enum ModelInstanceOrderField {
  SLUG = 'slug',
  NAME = 'displayName',
  PRIORITY = 'priority',
  CREATED_AT = 'createdAt',
  UPDATED_AT = 'updatedAt',
}
registerEnumType(ModelInstanceOrderField, {
  name: 'ModelInstanceOrderField',
  description: 'What model instances are ordered by.',
});

@InputType({ description: 'Order of model instances.' })
export class ModelInstanceOrderInput {
  @Field(() => ModelInstanceOrderField, { description: 'What to order by.' })
  field!: ModelInstanceOrderField;

  @Field(() => SortDirection, { nullable: true, description: 'Default ASC.' })
  direction?: SortDirection;
}

@InputType({ description: 'Which model instances to list; every condition must hold.' })
export class ModelInstanceFilterInput {
  @Field(() => String, {
    nullable: true,
    description: 'Part of the slug, the display name or the canonical id.',
  })
  search?: string;

  @Field(() => [String], { nullable: true, description: 'Any of these providers.' })
  providerKeys?: string[];

  @Field(() => [ID], { nullable: true, description: 'Any of these configs.' })
  configIds?: string[];

  @Field(() => [String], { nullable: true, description: 'Any of these models.' })
  canonicalIds?: string[];

  @Field(() => [String], { nullable: true, description: 'All of these tags.' })
  tags?: string[];

  @Field(() => Boolean, { nullable: true, description: 'Whether it is switched on.' })
  enabled?: boolean;

  @Field(() => SetupOrigin, { nullable: true, description: 'Who set it up.' })
  origin?: SetupOrigin;

  @Field(() => [AvailabilityKind], {
    nullable: true,
    description: 'Keeps the instances whose state for your key is one of these.',
  })
  availability?: AvailabilityKind[];
}

@InputType({ description: 'What can be set of a model instance.' })
class ModelInstanceFieldsInput {
  @Field(() => String, { nullable: true, description: 'Its name for people. Default: the slug.' })
  displayName?: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Instances with a higher number are called first. Default 0.',
  })
  priority?: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Share of the calls among instances of the same priority, 0 to 1000000. Default 1.',
  })
  weight?: number;

  @Field(() => [String], {
    nullable: true,
    description: 'Short words; `tag:<name>` calls any instance with that tag.',
  })
  tags?: string[];

  @Field(() => ParametersInput, { nullable: true, description: 'Parameters for calls that leave them out.' })
  defaultParameters?: ParametersInput;

  @Field(() => JsonObjectScalar, { nullable: true, description: 'Your own data, stored with it.' })
  customFields?: JsonObject;

  @Field(() => TimeLimitsInput, {
    nullable: true,
    description: 'How long its calls may take; these limits override the config’s.',
  })
  timeLimits?: TimeLimitsInput;

  @Field(() => RetryPolicyInput, { nullable: true, description: 'How often calls are tried again.' })
  retryPolicy?: RetryPolicyInput;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it costs nothing; null: as its provider says.',
  })
  free?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it may be called. Default true.' })
  enabled?: boolean;
}

@InputType({ description: 'A new model instance.' })
export class CreateModelInstanceInput extends ModelInstanceFieldsInput {
  @Field(() => String, {
    description: 'Its name in `CompletionInput.model`: 1 to 128 of a-z, 0-9, ".", "_" and "-".',
  })
  slug!: string;

  @Field(() => ID, { description: 'Id of the config that it calls through.' })
  configId!: string;

  @Field(() => String, { description: 'Canonical id of a model of the config’s provider.' })
  canonicalId!: string;
}

@InputType({ description: 'A change of a model instance; a field that is left out stays unchanged.' })
export class UpdateModelInstanceInput extends ModelInstanceFieldsInput {
  @Field(() => ID, { description: 'Id of the instance.' })
  id!: string;

  @Field(() => Int, { description: 'Version that the change is based on.' })
  version!: number;

  @Field(() => String, { nullable: true, description: 'Its name in `CompletionInput.model`.' })
  slug?: string;

  @Field(() => ID, { nullable: true, description: 'Id of the config that it calls through.' })
  configId?: string;

  @Field(() => String, { nullable: true, description: 'Canonical id of a model of the config’s provider.' })
  canonicalId?: string;
}

export function toModelInstanceFilter(
  { viewer, services }: GraphContext,
  filter: ModelInstanceFilterInput | null | undefined,
): CatalogueFilters['model_instance'] {
  const { configIds, availability, ...rest } = withoutNulls(filter ?? ({} as ModelInstanceFilterInput));
  return {
    ...rest,
    // An id that is no id of a provider config matches no instance.
    ...(configIds ? { configIds: configIds.map(toConfigRowId) } : {}),
    ...(availability ? { ids: services.availability.instancesIn(viewer, availability) } : {}),
  };
}

export function toModelInstancePatch(
  input: CreateModelInstanceInput | UpdateModelInstanceInput,
): Patch<ModelInstanceFields> {
  return {
    slug: orUnchanged(input.slug),
    displayName: orUnchanged(input.displayName),
    configId: input.configId == null ? undefined : toConfigRowId(input.configId),
    canonicalId: orUnchanged(input.canonicalId),
    priority: orUnchanged(input.priority),
    weight: orUnchanged(input.weight),
    tags: orUnchanged(input.tags),
    defaultParameters: input.defaultParameters == null ? undefined : toParameters(input.defaultParameters),
    customFields: orUnchanged(input.customFields),
    timeLimits: input.timeLimits == null ? undefined : withoutNulls(input.timeLimits),
    retryPolicy: input.retryPolicy == null ? undefined : withoutNulls(input.retryPolicy),
    free: input.free,
    enabled: orUnchanged(input.enabled),
  };
}

function toConfigRowId(id: string): string {
  return parseGlobalId('ProviderConfig', id) ?? '';
}
