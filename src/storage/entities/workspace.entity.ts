// Owns the mapping of workspaces, the tenants that own everything else.
import { defineEntity, p } from '@mikro-orm/core';

/** Requests and tokens by span, and runs at once; what is left out is not limited here. */
export interface StoredLimits {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  readonly requestsPerDay?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerHour?: number;
  readonly tokensPerDay?: number;
  readonly concurrentRuns?: number;
}

const WorkspaceSchema = defineEntity({
  name: 'Workspace',
  tableName: 'workspace',
  properties: {
    id: p.uuid().primary(),
    slug: p.text(),
    displayName: p.text(),
    limits: p.json().$type<StoredLimits>(),
    /** How long prompts and outputs are kept; 0: until a run can no longer be replayed. */
    contentRetentionDays: p.integer(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class WorkspaceEntity extends WorkspaceSchema.class {}
WorkspaceSchema.setClass(WorkspaceEntity);
