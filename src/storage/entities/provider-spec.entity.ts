// Owns the mapping of provider specs; a null `workspaceId` marks an installation row.
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';

export type RowOrigin = 'BUILT_IN' | 'SYNC' | 'CUSTOM';

const ProviderSpecSchema = defineEntity({
  name: 'ProviderSpec',
  tableName: 'provider_spec',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid().nullable(),
    key: p.text(),
    displayName: p.text(),
    description: p.text().nullable(),
    category: p.text().nullable(),
    protocol: p.text().nullable(),
    unservableReason: p.text().nullable(),
    baseUrl: p.text().nullable(),
    /** An `AuthScheme` of `providers/contract`. */
    auth: p.json().$type<JsonObject>(),
    /** JSON Schema of the settings that a config of this provider carries. */
    settingsSchema: p.json().$type<JsonObject>(),
    quirks: p.json().$type<JsonObject>(),
    /** Names of the environment variables that hold `secret`, `settings.<name>` and `baseUrl`. */
    envVars: p.json().$type<JsonObject>(),
    docsUrl: p.text().nullable(),
    hasModelList: p.boolean().nullable(),
    free: p.boolean(),
    defaultModel: p.text().nullable(),
    enabled: p.boolean(),
    origin: p.text().$type<RowOrigin>(),
    /** Fields that an administrator changed on a built-in row; the seed leaves these alone. */
    editedFields: p.array(),
    sources: p.array(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class ProviderSpecEntity extends ProviderSpecSchema.class {}
ProviderSpecSchema.setClass(ProviderSpecEntity);
