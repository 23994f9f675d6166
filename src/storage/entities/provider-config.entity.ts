// Owns the mapping of provider configs: one workspace's credentials for a provider. Secrets are sealed before they are stored here.
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';

export type ConfigOrigin = 'BUILT_IN' | 'ENVIRONMENT' | 'CUSTOM';
export type ConfigHealth = 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY';

/** Milliseconds; a limit that is left out has its default. */
export interface TimeLimits {
  readonly connectMs?: number;
  readonly firstTokenMs?: number;
  readonly betweenTokensMs?: number;
  readonly totalMs?: number;
}

/** Fields that are left out are taken from the config, then from the environment. */
export interface RetryPolicy {
  /** Calls of one instance within one run; 1 means that the same instance is never called again. */
  readonly maxAttempts?: number;
  readonly circuitBreaker?: boolean;
}

/** Either a reference to an environment variable, or an encrypted text with the id of its key. */
export type SealedSecret =
  | { readonly env: string }
  | { readonly keyId: string; readonly wrappedKey: string; readonly sealed: string };

/** The addresses that a secret may be sent to: fixed when the secret is given, and changed by administrators only. */
export interface SecretDestination {
  /** Origins of the base URL and of the addresses in the settings, sorted. */
  readonly origins: readonly string[];
  readonly protocol: string | null;
  /** An `AuthScheme`: how the secret is sent. */
  readonly auth: JsonObject;
  /** True if the address comes from a row of the installation, which may move it. */
  readonly byInstallation: boolean;
}

const ProviderConfigSchema = defineEntity({
  name: 'ProviderConfig',
  tableName: 'provider_config',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    /** Resolved to the workspace's own provider spec of that key, else to the installation's. */
    providerKey: p.text(),
    name: p.text(),
    baseUrl: p.text().nullable(),
    secret: p.json().$type<SealedSecret>().nullable(),
    /** Null until a node has bound the secret to the config's address. */
    secretDestination: p.json().$type<SecretDestination>().nullable(),
    /** The last characters of the secret, to tell one from another. */
    secretHint: p.text().nullable(),
    /** Sealed JSON of the extra request headers. */
    headers: p.json().$type<SealedSecret>().nullable(),
    headersDestination: p.json().$type<SecretDestination>().nullable(),
    settings: p.json().$type<JsonObject>(),
    timeLimits: p.json().$type<TimeLimits>(),
    retryPolicy: p.json().$type<RetryPolicy>(),
    enabled: p.boolean(),
    origin: p.text().$type<ConfigOrigin>(),
    health: p.text().$type<ConfigHealth>(),
    healthError: p.json().$type<JsonObject>().nullable(),
    /** The kind of fault. */
    healthFault: p.text().nullable(),
    healthLatencyMs: p.integer().nullable(),
    healthCheckedAt: p.datetime().nullable(),
    lastSyncAt: p.datetime().nullable(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class ProviderConfigEntity extends ProviderConfigSchema.class {}
ProviderConfigSchema.setClass(ProviderConfigEntity);
