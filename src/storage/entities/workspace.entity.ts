// Owns the mapping of workspaces, the tenants that own everything else.
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
    /** How long prompts and outputs are kept; 0: until a run can no longer be replayed. */
    contentRetentionDays: p.integer(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class WorkspaceEntity extends WorkspaceSchema.class {}
WorkspaceSchema.setClass(WorkspaceEntity);
