// Owns the mapping of model specs; a null `workspaceId` marks an installation row.
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';
import type { RowOrigin } from './provider-spec.entity.ts';

const ModelSpecSchema = defineEntity({
  name: 'ModelSpec',
  tableName: 'model_spec',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid().nullable(),
    providerKey: p.text(),
    key: p.text(),
    /** `<providerKey>/<key>`, computed by the database. */
    canonicalId: p.text().generated("(provider_key || '/' || key) stored"),
    displayName: p.text(),
    description: p.text().nullable(),
    contextLength: p.integer().nullable(),
    maxOutputTokens: p.integer().nullable(),
    inputModalities: p.array(),
    outputModalities: p.array(),
    capabilities: p.array(),
    tags: p.array(),
    strengths: p.array(),
    weaknesses: p.array(),
    protocol: p.text().nullable(),
    quirks: p.json().$type<JsonObject>(),
    available: p.boolean(),
    origin: p.text().$type<RowOrigin>(),
    /** Fields that an administrator changed on a built-in or synced row; the seed and the sync leave these alone. */
    editedFields: p.array(),
    /** ISO date without a time. */
    releasedAt: p.text().nullable(),
    customFields: p.json().$type<JsonObject>(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class ModelSpecEntity extends ModelSpecSchema.class {}
ModelSpecSchema.setClass(ModelSpecEntity);
