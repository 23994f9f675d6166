// Owns the mapping of workspaces, the tenants to which all other rows belong.
import { defineEntity, p } from '@mikro-orm/core';
import type { CallLimits } from '../../kernel/call-limits.ts';

const WorkspaceSchema = defineEntity({
  name: 'Workspace',
  tableName: 'workspace',
  properties: {
    id: p.uuid().primary(),
    slug: p.text(),
    displayName: p.text(),
    limits: p.json().$type<CallLimits>(),
    /** How many days prompts and outputs are kept; 0: only as long as a run can be replayed. */
    contentRetentionDays: p.integer(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class WorkspaceEntity extends WorkspaceSchema.class {}
WorkspaceSchema.setClass(WorkspaceEntity);
