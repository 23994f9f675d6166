// Owns the inputs of provider configs: filter, order, and what is made or changed.
import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import type { CatalogueFilters } from '../../domain/catalogue/catalogue-service.ts';
import type { ProviderConfigFields } from '../../domain/catalogue/provider-config-service.ts';
import type { Patch } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { orUnchanged, withoutNulls } from '../input-values.ts';
import { JsonObjectScalar } from '../scalars.ts';
import { HealthState, SetupOrigin, SortDirection } from './catalogue.enums.ts';
import { RetryPolicyInput } from './retry-policy.type.ts';
import { TimeLimitsInput } from './time-limits.type.ts';

export enum ProviderConfigOrderField {
  NAME = 'name',
  CREATED_AT = 'createdAt',
  UPDATED_AT = 'updatedAt',
}
registerEnumType(ProviderConfigOrderField, {
  name: 'ProviderConfigOrderField',
  description: 'What provider configs are ordered by.',
});

@InputType({ description: 'Order of provider configs.' })
export class ProviderConfigOrderInput {
  @Field(() => ProviderConfigOrderField, { description: 'What to order by.' })
  field!: ProviderConfigOrderField;

  @Field(() => SortDirection, { nullable: true, description: 'Default ASC.' })
  direction?: SortDirection;
}

@InputType({ description: 'Which provider configs to list; every condition must hold.' })
export class ProviderConfigFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of the name or of the provider’s key.' })
  search?: string;

  @Field(() => [String], { nullable: true, description: 'Any of these providers.' })
  providerKeys?: string[];

  @Field(() => Boolean, { nullable: true, description: 'Whether it is switched on.' })
  enabled?: boolean;

  @Field(() => HealthState, { nullable: true, description: 'The result of the last health check.' })
  health?: HealthState;

  @Field(() => SetupOrigin, { nullable: true, description: 'Who set it up.' })
  origin?: SetupOrigin;
}

@InputType({ description: 'What can be set of a provider config.' })
class ProviderConfigFieldsInput {
  @Field(() => String, {
    nullable: true,
    description: 'Address used in place of the provider’s own; null: the provider’s.',
  })
  baseUrl?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'API key or other credential of the provider; stored encrypted and never shown again. null removes it.',
  })
  secret?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'In place of `secret`: the name of an environment variable that holds it. For administrators of the installation only.',
  })
  secretEnv?: string;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description: 'Extra request headers, names to texts; they count as secrets. null removes them.',
  })
  headers?: JsonObject | null;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description: 'Settings, in the form of the provider’s `settingsSchema`.',
  })
  settings?: JsonObject;

  @Field(() => TimeLimitsInput, { nullable: true, description: 'How long its calls may take.' })
  timeLimits?: TimeLimitsInput;

  @Field(() => RetryPolicyInput, { nullable: true, description: 'How often calls are tried again.' })
  retryPolicy?: RetryPolicyInput;

  @Field(() => Boolean, { nullable: true, description: 'Whether its instances may be called. Default true.' })
  enabled?: boolean;
}

@InputType({
  description: 'A new provider config. Name its provider by `providerKey` or by `providerSpecId`.',
})
export class CreateProviderConfigInput extends ProviderConfigFieldsInput {
  @Field(() => String, { description: 'Its name, unique in the workspace; 1 to 100 characters.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Key of the provider, e.g. `openai`.' })
  providerKey?: string;

  @Field(() => ID, { nullable: true, description: 'Id of the provider spec.' })
  providerSpecId?: string;

  @Field(() => Boolean, {
    defaultValue: true,
    description: 'Makes an instance of the provider’s default model too, if it names one.',
  })
  withDefaultModel!: boolean;
}

@InputType({ description: 'A change of a provider config; a field that is left out stays unchanged.' })
export class UpdateProviderConfigInput extends ProviderConfigFieldsInput {
  @Field(() => ID, { description: 'Id of the config.' })
  id!: string;

  @Field(() => Int, { description: 'Version that the change is based on.' })
  version!: number;

  @Field(() => String, { nullable: true, description: 'Its name, unique in the workspace.' })
  name?: string;
}

export function toProviderConfigFilter(
  filter: ProviderConfigFilterInput | null | undefined,
): CatalogueFilters['provider_config'] {
  return withoutNulls(filter ?? {});
}

export function toProviderConfigPatch(
  input: CreateProviderConfigInput | UpdateProviderConfigInput,
): Patch<ProviderConfigFields> {
  return {
    name: orUnchanged(input.name),
    baseUrl: input.baseUrl,
    secret: input.secret,
    secretEnv: orUnchanged(input.secretEnv),
    headers: input.headers,
    settings: orUnchanged(input.settings),
    timeLimits: input.timeLimits == null ? undefined : withoutNulls(input.timeLimits),
    retryPolicy: input.retryPolicy == null ? undefined : withoutNulls(input.retryPolicy),
    enabled: orUnchanged(input.enabled),
  };
}
