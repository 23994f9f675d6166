// Owns the mapping of model instances: what applications call.
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';
import type { ConfigOrigin, RetryPolicy, TimeLimits } from './provider-config.entity.ts';

const ModelInstanceSchema = defineEntity({
  name: 'ModelInstance',
  tableName: 'model_instance',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    slug: p.text(),
    displayName: p.text(),
    configId: p.uuid(),
    /** Resolved to the workspace's own model spec of that id, else to the installation's. */
    canonicalId: p.text(),
    priority: p.integer(),
    weight: p.integer(),
    tags: p.array(),
    /** A `ParametersInput` that fills in what a call leaves out. */
    defaultParameters: p.json().$type<JsonObject>(),
    customFields: p.json().$type<JsonObject>(),
    timeLimits: p.json().$type<TimeLimits>(),
    retryPolicy: p.json().$type<RetryPolicy>(),
    /** Overrides the provider's `free`. */
    free: p.boolean().nullable(),
    enabled: p.boolean(),
    origin: p.text().$type<ConfigOrigin>(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class ModelInstanceEntity extends ModelInstanceSchema.class {}
ModelInstanceSchema.setClass(ModelInstanceEntity);
