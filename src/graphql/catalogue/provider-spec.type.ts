// Owns how provider specs are shown.
import { Field, Int, ObjectType } from 'type-graphql';
import type { ProviderSpecRow } from '../../domain/catalogue/snapshot.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { connectionOf } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar, JsonObjectScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';
import { RowOwnerKind, SpecOrigin } from './catalogue.enums.ts';

@ObjectType('ProviderSpec', {
  implements: NodeType,
  description:
    'A kind of provider, such as OpenAI, OpenRouter, or a vLLM server. A config adds a team’s credentials.',
  simpleResolvers: true,
})
export class ProviderSpecType extends NodeType {
  @Field(() => String, { description: 'Its name in canonical model ids; never changes.' })
  key!: string;

  @Field(() => String, { description: 'Its name for people.' })
  displayName!: string;

  @Field(() => String, { nullable: true, description: 'A description for people.' })
  description!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'lab, cloud, inference, aggregator, local or generic.',
  })
  category!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Protocol, which names the adapter, e.g. `openai-chat`; null if none can serve it.',
  })
  protocol!: string | null;

  @Field(() => String, { nullable: true, description: 'Why no protocol can serve it.' })
  unservableReason!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Default address, with `{name}` for settings; null if each config gives its own.',
  })
  baseUrl!: string | null;

  @Field(() => JsonObjectScalar, {
    description:
      'How a credential is sent: `{"type": "header", "header": "authorization", "prefix": "Bearer ", "optional": false}`, or type none, aws, google or gigachat.',
  })
  auth!: JsonObject;

  @Field(() => JsonObjectScalar, { description: 'JSON Schema of the `settings` of a config.' })
  settingsSchema!: JsonObject;

  @Field(() => JsonObjectScalar, { description: 'Named deviations from the protocol.' })
  quirks!: JsonObject;

  @Field(() => JsonObjectScalar, {
    description:
      'Names of the environment variables that are read at start for the secret, the settings and the base URL.',
  })
  envVars!: JsonObject;

  @Field(() => String, { nullable: true, description: 'Address of its documentation.' })
  docsUrl!: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it can list its models; null if not known.' })
  hasModelList!: boolean | null;

  @Field(() => Boolean, { description: 'Whether it costs nothing to call, e.g. a server of your own.' })
  free!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Key of the model for which an instance can be made together with a config.',
  })
  defaultModel!: string | null;

  @Field(() => Boolean, { description: 'Whether it may be called at all.' })
  enabled!: boolean;

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

  @Field(() => [String], { description: 'Where the facts of the row come from.' })
  sources!: string[];

  @Field(() => Int, {
    description: 'Grows with each change; an update names the version that it was based on.',
  })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When it was last changed.' })
  updatedAt!: Date;
}

export const ProviderSpecConnection = connectionOf(() => ProviderSpecType, 'ProviderSpec');

@ObjectType('ProviderSpecPayload', { description: 'A provider spec.', simpleResolvers: true })
export class ProviderSpecPayload {
  @Field(() => ProviderSpecType, {
    nullable: true,
    description: 'The object as it is now, or as it was before its deletion; null if there are `userErrors`.',
  })
  providerSpec!: ProviderSpecType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toProviderSpecType(row: ProviderSpecRow): ProviderSpecType {
  return {
    id: toGlobalId('ProviderSpec', row.id),
    key: row.key,
    displayName: row.displayName,
    description: row.description ?? null,
    category: row.category ?? null,
    protocol: row.protocol ?? null,
    unservableReason: row.unservableReason ?? null,
    baseUrl: row.baseUrl ?? null,
    auth: row.auth,
    settingsSchema: row.settingsSchema,
    quirks: row.quirks,
    envVars: row.envVars,
    docsUrl: row.docsUrl ?? null,
    hasModelList: row.hasModelList ?? null,
    free: row.free,
    defaultModel: row.defaultModel ?? null,
    enabled: row.enabled,
    origin: row.origin as SpecOrigin,
    owner: row.workspaceId ? RowOwnerKind.WORKSPACE : RowOwnerKind.INSTALLATION,
    editedFields: row.editedFields,
    sources: row.sources,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
