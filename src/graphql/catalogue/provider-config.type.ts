// Owns how provider configs are shown: everything but the secrets.
import { Field, Int, ObjectType } from 'type-graphql';
import type { ProviderConfigRow } from '../../domain/catalogue/snapshot.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { connectionOf } from '../connection.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar, JsonObjectScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';
import { HealthFaultKind, HealthState, SetupOrigin } from './catalogue.enums.ts';
import { RetryPolicyType, toRetryPolicyType } from './retry-policy.type.ts';
import { TimeLimitsType, toTimeLimitsType } from './time-limits.type.ts';

@ObjectType('ConfigHealth', { description: 'The result of the last health check.', simpleResolvers: true })
export class ConfigHealthType {
  @Field(() => HealthState, { description: 'Whether address and credentials work.' })
  state!: HealthState;

  @Field(() => HealthFaultKind, {
    nullable: true,
    description: 'The kind of fault, so that you know what to correct.',
  })
  fault!: HealthFaultKind | null;

  @Field(() => String, { nullable: true, description: 'Why they do not work, as an error code.' })
  errorCode!: string | null;

  @Field(() => String, { nullable: true, description: 'Why they do not work, as a message.' })
  errorMessage!: string | null;

  @Field(() => Int, { nullable: true, description: 'How long the check took, in milliseconds.' })
  latencyMs!: number | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the check was made.' })
  checkedAt!: Date | null;
}

@ObjectType('ProviderConfig', {
  implements: NodeType,
  description: 'Your workspace’s credentials for a provider. Secrets can be set but never read.',
  simpleResolvers: true,
})
export class ProviderConfigType extends NodeType {
  @Field(() => String, { description: 'Its name, unique in the workspace.' })
  name!: string;

  @Field(() => String, { description: 'Key of its provider.' })
  providerKey!: string;

  @Field(() => String, { nullable: true, description: 'Address used in place of the provider’s own.' })
  baseUrl!: string | null;

  @Field(() => Boolean, { description: 'Whether a secret is stored or referred to.' })
  hasSecret!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The last characters of the secret, by which people tell secrets apart.',
  })
  secretHint!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Environment variable that holds the secret, if one does.',
  })
  secretEnv!: string | null;

  @Field(() => Boolean, { description: 'Whether extra request headers are stored.' })
  hasHeaders!: boolean;

  @Field(() => JsonObjectScalar, { description: 'Settings, in the form of the provider’s `settingsSchema`.' })
  settings!: JsonObject;

  @Field(() => TimeLimitsType, { description: 'How long its calls may take.' })
  timeLimits!: TimeLimitsType;

  @Field(() => RetryPolicyType, { description: 'How often calls are tried again.' })
  retryPolicy!: RetryPolicyType;

  @Field(() => Boolean, { description: 'Whether its instances may be called.' })
  enabled!: boolean;

  @Field(() => SetupOrigin, { description: 'Who set it up.' })
  origin!: SetupOrigin;

  @Field(() => ConfigHealthType, { description: 'The result of the last health check.' })
  health!: ConfigHealthType;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When its models were last synced.' })
  lastSyncAt!: Date | null;

  @Field(() => Int, {
    description: 'Grows with each change; an update names the version that it was based on.',
  })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When it was last changed.' })
  updatedAt!: Date;
}

export const ProviderConfigConnection = connectionOf(() => ProviderConfigType, 'ProviderConfig');

@ObjectType('ProviderConfigPayload', { description: 'A provider config.', simpleResolvers: true })
export class ProviderConfigPayload {
  @Field(() => ProviderConfigType, {
    nullable: true,
    description: 'The object as it is now, or as it was before its deletion; null if there are `userErrors`.',
  })
  providerConfig!: ProviderConfigType | null;

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toProviderConfigType(row: ProviderConfigRow): ProviderConfigType {
  return {
    id: toGlobalId('ProviderConfig', row.id),
    name: row.name,
    providerKey: row.providerKey,
    baseUrl: row.baseUrl ?? null,
    hasSecret: row.secret != null,
    secretHint: row.secretHint ?? null,
    secretEnv: row.secret && 'env' in row.secret ? row.secret.env : null,
    hasHeaders: row.headers != null,
    settings: row.settings,
    timeLimits: toTimeLimitsType(row.timeLimits),
    retryPolicy: toRetryPolicyType(row.retryPolicy),
    enabled: row.enabled,
    origin: row.origin as SetupOrigin,
    health: {
      state: row.health as HealthState,
      fault: (row.healthFault ?? null) as HealthFaultKind | null,
      errorCode: textOf(row.healthError?.code),
      errorMessage: textOf(row.healthError?.message),
      latencyMs: row.healthLatencyMs ?? null,
      checkedAt: row.healthCheckedAt ?? null,
    },
    lastSyncAt: row.lastSyncAt ?? null,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
