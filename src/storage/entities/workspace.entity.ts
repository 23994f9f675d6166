// Owns the mapping of workspaces, the tenants that own everything else.
import { defineEntity, p } from '@mikro-orm/core';

const WorkspaceSchema = defineEntity({
  name: 'Workspace',
  tableName: 'workspace',
  properties: {
    id: p.uuid().primary(),
    slug: p.text(),
    displayName: p.text(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class WorkspaceEntity extends WorkspaceSchema.class {}
WorkspaceSchema.setClass(WorkspaceEntity);
