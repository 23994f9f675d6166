// Owns the inputs of provider specs: filter, order, and what is made or changed.
import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import type { CatalogueFilters } from '../../domain/catalogue/catalogue-service.ts';
import type { ProviderSpecFields } from '../../domain/catalogue/provider-spec-service.ts';
import type { Patch } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { orUnchanged, withoutNulls } from '../input-values.ts';
import { JsonObjectScalar } from '../scalars.ts';
import { RowOwnerKind, SortDirection, SpecOrigin } from './catalogue.enums.ts';

export enum ProviderSpecOrderField {
  NAME = 'displayName',
  KEY = 'key',
  CREATED_AT = 'createdAt',
  UPDATED_AT = 'updatedAt',
}
registerEnumType(ProviderSpecOrderField, {
  name: 'ProviderSpecOrderField',
  description: 'What provider specs are ordered by.',
});

@InputType({ description: 'Order of provider specs.' })
export class ProviderSpecOrderInput {
  @Field(() => ProviderSpecOrderField, { description: 'What to order by.' })
  field!: ProviderSpecOrderField;

  @Field(() => SortDirection, { nullable: true, description: 'Default ASC.' })
  direction?: SortDirection;
}

@InputType({ description: 'Which provider specs to list; every condition must hold.' })
export class ProviderSpecFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of the key or of the display name.' })
  search?: string;

  @Field(() => [String], { nullable: true, description: 'Any of these keys.' })
  keys?: string[];

  @Field(() => [String], { nullable: true, description: 'Any of these protocols.' })
  protocols?: string[];

  @Field(() => [String], { nullable: true, description: 'Any of these categories.' })
  categories?: string[];

  @Field(() => Boolean, { nullable: true, description: 'Whether it is switched on.' })
  enabled?: boolean;

  @Field(() => Boolean, { nullable: true, description: 'Whether a protocol is known that serves it.' })
  servable?: boolean;

  @Field(() => Boolean, { nullable: true, description: 'Whether it costs nothing to call.' })
  free?: boolean;

  @Field(() => SpecOrigin, { nullable: true, description: 'The origin of the row.' })
  origin?: SpecOrigin;
}

@InputType({ description: 'What can be set of a provider spec.' })
class ProviderSpecFieldsInput {
  @Field(() => String, { nullable: true, description: 'A description for people.' })
  description?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'lab, cloud, inference, aggregator, local or generic.',
  })
  category?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Default address, e.g. `https://api.example.com/v1`; `{name}` stands for a required setting.',
  })
  baseUrl?: string | null;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      'How a credential is sent. Default: `{"type": "header", "header": "authorization", "prefix": "Bearer ", "optional": false}`.',
  })
  auth?: JsonObject;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      'JSON Schema (draft 2020-12, type object) of the `settings` of a config. Default: no settings. The schema of a workspace may use types, properties, required, enum, bounds and simple patterns.',
  })
  settingsSchema?: JsonObject;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      'Named deviations from the protocol, e.g. {"modelsPath": null} for an OpenAI-compatible server without a list of models. An unknown name is refused, and the error lists the known ones.',
  })
  quirks?: JsonObject;

  @Field(() => String, { nullable: true, description: 'Address of its documentation.' })
  docsUrl?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether the provider can list its models. False: neither a sync nor a health check asks for the list.',
  })
  hasModelList?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it costs nothing to call. Default false.' })
  free?: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Key of the model for which an instance can be made together with a config.',
  })
  defaultModel?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it may be called. Default true.' })
  enabled?: boolean;

  @Field(() => RowOwnerKind, {
    nullable: true,
    description:
      'Whether a row of the installation or of your workspace is made or changed. INSTALLATION is for administrators of the installation, and their default when they change a shared row; otherwise the default is WORKSPACE.',
  })
  owner?: RowOwnerKind;
}

@InputType({ description: 'A new provider spec.' })
export class CreateProviderSpecInput extends ProviderSpecFieldsInput {
  @Field(() => String, { description: '1 to 64 of a-z, 0-9, ".", "_" and "-"; never changes.' })
  key!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => String, { description: 'Wire protocol, e.g. `openai-chat`.' })
  protocol!: string;
}

@InputType({
  description:
    'A change of a provider spec; a field that is left out stays unchanged. A workspace that changes a shared row gets a copy of its own.',
})
export class UpdateProviderSpecInput extends ProviderSpecFieldsInput {
  @Field(() => ID, { description: 'Id of the spec.' })
  id!: string;

  @Field(() => Int, { description: 'Version that the change is based on.' })
  version!: number;

  @Field(() => String, { nullable: true, description: 'Its name for people.' })
  displayName?: string;

  @Field(() => String, { nullable: true, description: 'Wire protocol, e.g. `openai-chat`.' })
  protocol?: string;
}

export function toProviderSpecFilter(
  filter: ProviderSpecFilterInput | null | undefined,
): CatalogueFilters['provider_spec'] {
  return withoutNulls(filter ?? {});
}

export function toProviderSpecPatch(
  input: CreateProviderSpecInput | UpdateProviderSpecInput,
): Patch<ProviderSpecFields> {
  return {
    displayName: orUnchanged(input.displayName),
    description: input.description,
    category: input.category,
    protocol: orUnchanged(input.protocol),
    baseUrl: input.baseUrl,
    auth: orUnchanged(input.auth),
    settingsSchema: orUnchanged(input.settingsSchema),
    quirks: orUnchanged(input.quirks),
    docsUrl: input.docsUrl,
    hasModelList: input.hasModelList,
    free: orUnchanged(input.free),
    defaultModel: input.defaultModel,
    enabled: orUnchanged(input.enabled),
  };
}
