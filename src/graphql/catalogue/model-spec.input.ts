// Owns the inputs of model specs: filter, order, and what is made or changed.
import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import type { CatalogueFilters } from '../../domain/catalogue/catalogue-service.ts';
import type { ModelSpecFields } from '../../domain/catalogue/model-spec-service.ts';
import type { Patch } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { GraphContext } from '../context.ts';
import { orUnchanged, withoutNulls } from '../input-values.ts';
import { AvailabilityKind } from '../routing/availability.type.ts';
import { JsonObjectScalar, UsdScalar } from '../scalars.ts';
import { RowOwnerKind, SortDirection, SpecOrigin } from './catalogue.enums.ts';

export enum ModelSpecOrderField {
  NAME = 'displayName',
  CANONICAL_ID = 'canonicalId',
  CONTEXT_LENGTH = 'contextLength',
  INPUT_PRICE = 'inputPrice',
  OUTPUT_PRICE = 'outputPrice',
  RELEASED_AT = 'releasedAt',
  CREATED_AT = 'createdAt',
  UPDATED_AT = 'updatedAt',
}
registerEnumType(ModelSpecOrderField, {
  name: 'ModelSpecOrderField',
  description: 'What model specs are ordered by.',
  valuesConfig: {
    CONTEXT_LENGTH: { description: 'A model whose context is not known counts as the smallest.' },
    INPUT_PRICE: { description: 'A model without a price counts as the most expensive.' },
    OUTPUT_PRICE: { description: 'A model without a price counts as the most expensive.' },
    RELEASED_AT: { description: 'A model whose release is not known counts as the oldest.' },
  },
});

@InputType({ description: 'Order of model specs.' })
export class ModelSpecOrderInput {
  @Field(() => ModelSpecOrderField, { description: 'What to order by.' })
  field!: ModelSpecOrderField;

  @Field(() => SortDirection, { nullable: true, description: 'Default ASC.' })
  direction?: SortDirection;
}

@InputType({ description: 'Which model specs to list; every condition must hold.' })
export class ModelSpecFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of the canonical id or of the display name.' })
  search?: string;

  @Field(() => [String], { nullable: true, description: 'Any of these canonical ids.' })
  canonicalIds?: string[];

  @Field(() => [String], { nullable: true, description: 'Any of these providers.' })
  providerKeys?: string[];

  @Field(() => [String], { nullable: true, description: 'All of these capabilities.' })
  capabilities?: string[];

  @Field(() => [String], { nullable: true, description: 'All of these input modalities.' })
  inputModalities?: string[];

  @Field(() => [String], { nullable: true, description: 'All of these output modalities.' })
  outputModalities?: string[];

  @Field(() => [String], { nullable: true, description: 'All of these tags.' })
  tags?: string[];

  @Field(() => Int, {
    nullable: true,
    description: 'At least this context; a model whose context is not known is left out.',
  })
  minContextLength?: number;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'At most this price per million tokens of input; a model without a price is left out.',
  })
  maxInputPrice?: bigint;

  @Field(() => UsdScalar, {
    nullable: true,
    description: 'At most this price per million tokens of output; a model without a price is left out.',
  })
  maxOutputPrice?: bigint;

  @Field(() => Boolean, { nullable: true, description: 'Whether it is offered.' })
  available?: boolean;

  @Field(() => SpecOrigin, { nullable: true, description: 'The origin of the row.' })
  origin?: SpecOrigin;

  @Field(() => [AvailabilityKind], {
    nullable: true,
    description: 'Keeps the models whose state for your key is one of these.',
  })
  availability?: AvailabilityKind[];
}

@InputType({ description: 'What can be set of a model spec.' })
class ModelSpecFieldsInput {
  @Field(() => String, { nullable: true, description: 'Its name for people. Default: the key.' })
  displayName?: string;

  @Field(() => String, { nullable: true, description: 'A description for people.' })
  description?: string | null;

  @Field(() => Int, { nullable: true, description: 'Most tokens of input and output together.' })
  contextLength?: number | null;

  @Field(() => Int, { nullable: true, description: 'Most tokens of output.' })
  maxOutputTokens?: number | null;

  @Field(() => [String], { nullable: true, description: 'What it reads: text, image, audio. Default: text.' })
  inputModalities?: string[];

  @Field(() => [String], {
    nullable: true,
    description:
      'What it gives: text, image, audio, video, embedding, transcription, ranking, classification. Default: text.',
  })
  outputModalities?: string[];

  @Field(() => [String], {
    nullable: true,
    description: 'What it can do: streaming, tools, vision, reasoning, json, json-schema, prompt-cache.',
  })
  capabilities?: string[];

  @Field(() => [String], { nullable: true, description: 'Short words to find it by.' })
  tags?: string[];

  @Field(() => [String], { nullable: true, description: 'What it is good at.' })
  strengths?: string[];

  @Field(() => [String], { nullable: true, description: 'What it is not good at.' })
  weaknesses?: string[];

  @Field(() => String, {
    nullable: true,
    description: 'Protocol used in place of the provider’s; null: the provider’s.',
  })
  protocol?: string | null;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      'Named deviations from the protocol, e.g. {"modelsPath": null} for an OpenAI-compatible server without a list of models. An unknown name is refused, and the error lists the known ones.',
  })
  quirks?: JsonObject;

  @Field(() => Boolean, { nullable: true, description: 'Whether it may be called. Default true.' })
  available?: boolean;

  @Field(() => String, { nullable: true, description: 'ISO date of its release.' })
  releasedAt?: string | null;

  @Field(() => JsonObjectScalar, { nullable: true, description: 'Your own data, stored with it.' })
  customFields?: JsonObject;

  @Field(() => RowOwnerKind, {
    nullable: true,
    description:
      'Whether a row of the installation or of your workspace is made or changed. INSTALLATION is for administrators of the installation, and their default when they change a shared row; otherwise the default is WORKSPACE.',
  })
  owner?: RowOwnerKind;
}

@InputType({ description: 'A new model spec.' })
export class CreateModelSpecInput extends ModelSpecFieldsInput {
  @Field(() => String, { description: 'Key of its provider.' })
  providerKey!: string;

  @Field(() => String, { description: 'What the provider calls it; never changes.' })
  key!: string;
}

@InputType({
  description:
    'A change of a model spec; a field that is left out stays unchanged. A workspace that changes a shared row gets a copy of its own.',
})
export class UpdateModelSpecInput extends ModelSpecFieldsInput {
  @Field(() => ID, { description: 'Id of the spec.' })
  id!: string;

  @Field(() => Int, { description: 'Version that the change is based on.' })
  version!: number;
}

export function toModelSpecFilter(
  { viewer, services }: GraphContext,
  filter: ModelSpecFilterInput | null | undefined,
): CatalogueFilters['model_spec'] {
  const { availability, ...rest } = withoutNulls(filter ?? ({} as ModelSpecFilterInput));
  return availability ? { ...rest, ids: services.availability.modelsIn(viewer, availability) } : rest;
}

export function toModelSpecPatch(input: CreateModelSpecInput | UpdateModelSpecInput): Patch<ModelSpecFields> {
  return {
    displayName: orUnchanged(input.displayName),
    description: input.description,
    contextLength: input.contextLength,
    maxOutputTokens: input.maxOutputTokens,
    inputModalities: orUnchanged(input.inputModalities),
    outputModalities: orUnchanged(input.outputModalities),
    capabilities: orUnchanged(input.capabilities),
    tags: orUnchanged(input.tags),
    strengths: orUnchanged(input.strengths),
    weaknesses: orUnchanged(input.weaknesses),
    protocol: input.protocol,
    quirks: orUnchanged(input.quirks),
    available: orUnchanged(input.available),
    releasedAt: input.releasedAt,
    customFields: orUnchanged(input.customFields),
  };
}
