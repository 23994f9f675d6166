// Owns how model specs are shown.
import { Field, Int, ObjectType } from 'type-graphql';
import type { ModelSpecRow } from '../../domain/catalogue/snapshot.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { connectionOf } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar, JsonObjectScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';
import { RowOwnerKind, SpecOrigin } from './catalogue.enums.ts';

@ObjectType('ModelSpec', {
  implements: NodeType,
  description:
    'A model that a provider offers. A config of that provider can call it; an instance gives it a name and a place in the routing.',
  simpleResolvers: true,
})
export class ModelSpecType extends NodeType {
  @Field(() => String, {
    description: '`<provider key>/<model key>`, e.g. `openrouter/openai/gpt-4o`; split at the first slash.',
  })
  canonicalId!: string;

  @Field(() => String, { description: 'Key of its provider.' })
  providerKey!: string;

  @Field(() => String, { description: 'What the provider calls it.' })
  key!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => String, { nullable: true, description: 'A description for people.' })
  description!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Most tokens of input and output together; null if not known.',
  })
  contextLength!: number | null;

  @Field(() => Int, { nullable: true, description: 'Most tokens of output; null if not known.' })
  maxOutputTokens!: number | null;

  @Field(() => [String], { description: 'What it reads: text, image, audio.' })
  inputModalities!: string[];

  @Field(() => [String], {
    description:
      'What it gives: text, image, audio, video, embedding, transcription, ranking, classification. Only `text` can be asked for a completion.',
  })
  outputModalities!: string[];

  @Field(() => [String], {
    description: 'What it can do: streaming, tools, vision, reasoning, json, json-schema, prompt-cache.',
  })
  capabilities!: string[];

  @Field(() => [String], { description: 'Short words to find it by.' })
  tags!: string[];

  @Field(() => [String], { description: 'What it is good at.' })
  strengths!: string[];

  @Field(() => [String], { description: 'What it is not good at.' })
  weaknesses!: string[];

  @Field(() => String, { nullable: true, description: 'Protocol used in place of the provider’s.' })
  protocol!: string | null;

  @Field(() => JsonObjectScalar, {
    description: 'Named deviations from the protocol; these override the provider’s.',
  })
  quirks!: JsonObject;

  @Field(() => Boolean, { description: 'Whether it is offered; false if it was withdrawn or switched off.' })
  available!: boolean;

  @Field(() => SpecOrigin, { description: 'The origin of the row.' })
  origin!: SpecOrigin;

  @Field(() => RowOwnerKind, {
    description: 'Whether the row belongs to the installation or to your workspace.',
  })
  owner!: RowOwnerKind;

  @Field(() => [String], {
    description: 'Fields that people have changed; later catalogue data does not overwrite them.',
  })
  editedFields!: string[];

  @Field(() => String, { nullable: true, description: 'ISO date of its release.' })
  releasedAt!: string | null;

  @Field(() => JsonObjectScalar, { description: 'Your own data, stored with it.' })
  customFields!: JsonObject;

  @Field(() => Int, {
    description: 'Grows with each change; an update names the version that it was based on.',
  })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When it was last changed.' })
  updatedAt!: Date;
}

export const ModelSpecConnection = connectionOf(() => ModelSpecType, 'ModelSpec');

@ObjectType('ModelSpecPayload', { description: 'A model spec.', simpleResolvers: true })
export class ModelSpecPayload {
  @Field(() => ModelSpecType, {
    nullable: true,
    description: 'The object as it is now, or as it was before its deletion; null if there are `userErrors`.',
  })
  modelSpec!: ModelSpecType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toModelSpecType(row: ModelSpecRow): ModelSpecType {
  return {
    id: toGlobalId('ModelSpec', row.id),
    canonicalId: row.canonicalId,
    providerKey: row.providerKey,
    key: row.key,
    displayName: row.displayName,
    description: row.description ?? null,
    contextLength: row.contextLength ?? null,
    maxOutputTokens: row.maxOutputTokens ?? null,
    inputModalities: row.inputModalities,
    outputModalities: row.outputModalities,
    capabilities: row.capabilities,
    tags: row.tags,
    strengths: row.strengths,
    weaknesses: row.weaknesses,
    protocol: row.protocol ?? null,
    quirks: row.quirks,
    available: row.available,
    origin: row.origin as SpecOrigin,
    owner: row.workspaceId ? RowOwnerKind.WORKSPACE : RowOwnerKind.INSTALLATION,
    editedFields: row.editedFields,
    releasedAt: row.releasedAt ?? null,
    customFields: row.customFields,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
