// Owns the mapping of model syncs: the result of asking the provider of one config for its models.
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';

export type SyncStatus = 'RUNNING' | 'FINISHED' | 'FAILED';
export type SyncPhase = 'LISTING' | 'COMPARING' | 'WRITING' | 'DONE';
export type SyncSource = 'PROVIDER' | 'CATALOGUE';

const ModelSyncSchema = defineEntity({
  name: 'ModelSync',
  tableName: 'model_sync',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    configId: p.uuid(),
    status: p.text().$type<SyncStatus>(),
    phase: p.text().$type<SyncPhase>(),
    source: p.text().$type<SyncSource>().nullable(),
    listed: p.integer(),
    /** Canonical ids. */
    added: p.array(),
    updated: p.array(),
    withdrawn: p.array(),
    /** How many listed models had rows that were left unchanged. */
    kept: p.integer(),
    error: p.json().$type<JsonObject>().nullable(),
    startedAt: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
});

export class ModelSyncEntity extends ModelSyncSchema.class {}
ModelSyncSchema.setClass(ModelSyncEntity);
