// Owns the mapping of workspaces, the tenants to which all other rows belong.
import { defineEntity, p } from '@mikro-orm/core';

/** Requests and tokens in a window of time, and runs at the same time. A field that is left out sets no limit. */
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
    /** How many days prompts and outputs are kept; 0: only as long as a run can be replayed. */
    contentRetentionDays: p.integer(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class WorkspaceEntity extends WorkspaceSchema.class {}
WorkspaceSchema.setClass(WorkspaceEntity);
