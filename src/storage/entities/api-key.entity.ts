// Owns the mapping of API keys: only the SHA-256 of a key is ever stored.
import { defineEntity, p } from '@mikro-orm/core';
import type { CallLimits } from '../../kernel/call-limits.ts';

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    name: p.text(),
    prefix: p.text(),
    hash: p.text(),
    scopes: p.array(),
    /** Empty: every model. */
    allowedModels: p.array(),
    limits: p.json().$type<CallLimits>(),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    /** Hash of the key's text before its last rotation; it is valid until `previousExpiresAt`. */
    previousHash: p.text().nullable(),
    previousExpiresAt: p.datetime().nullable(),
    rotatedAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class ApiKeyEntity extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKeyEntity);
