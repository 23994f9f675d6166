// Owns the default values of the columns of new catalogue rows.
import type { NewRow } from '../../storage/repositories/catalogue-write.repository.ts';

type Said<Table extends 'provider_config' | 'model_spec' | 'model_instance'> = Partial<
  Omit<NewRow<Table>, 'createdAt' | 'updatedAt'>
>;

export function newConfigRow(
  of: Pick<NewRow<'provider_config'>, 'id' | 'workspaceId' | 'providerKey' | 'name'>,
  said: Said<'provider_config'>,
  at: Date,
): NewRow<'provider_config'> {
  return {
    baseUrl: null,
    secret: null,
    secretDestination: null,
    secretHint: null,
    headers: null,
    headersDestination: null,
    settings: {},
    timeLimits: {},
    retryPolicy: {},
    enabled: true,
    origin: 'CUSTOM',
    health: 'UNKNOWN',
    healthError: null,
    healthFault: null,
    healthLatencyMs: null,
    healthCheckedAt: null,
    lastSyncAt: null,
    ...said,
    ...of,
    createdAt: at,
    updatedAt: at,
  };
}

/** The canonical id is left out, because the database computes it. */
export function newModelRow(
  of: Pick<NewRow<'model_spec'>, 'id' | 'workspaceId' | 'providerKey' | 'key'>,
  said: Said<'model_spec'>,
  at: Date,
): NewRow<'model_spec'> {
  return {
    displayName: of.key,
    description: null,
    contextLength: null,
    maxOutputTokens: null,
    inputModalities: ['text'],
    outputModalities: ['text'],
    capabilities: [],
    tags: [],
    strengths: [],
    weaknesses: [],
    protocol: null,
    quirks: {},
    available: true,
    origin: 'CUSTOM',
    editedFields: [],
    releasedAt: null,
    customFields: {},
    ...said,
    ...of,
    createdAt: at,
    updatedAt: at,
  };
}

export function newInstanceRow(
  of: Pick<NewRow<'model_instance'>, 'id' | 'workspaceId' | 'slug' | 'configId' | 'canonicalId'>,
  said: Said<'model_instance'>,
  at: Date,
): NewRow<'model_instance'> {
  return {
    displayName: of.slug,
    priority: 0,
    weight: 1,
    tags: [],
    defaultParameters: {},
    customFields: {},
    timeLimits: {},
    retryPolicy: {},
    free: null,
    enabled: true,
    origin: 'CUSTOM',
    ...said,
    ...of,
    createdAt: at,
    updatedAt: at,
  };
}
