// Owns the mapping of audit events for reading; triggers write them.
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';

const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_event',
  properties: {
    id: p.bigint('string').primary(),
    at: p.datetime(),
    workspaceId: p.uuid().nullable(),
    actor: p.text(),
    action: p.text(),
    objectType: p.text(),
    objectId: p.text(),
    objectName: p.text().nullable(),
    changes: p.json().$type<JsonObject>(),
  },
});

export class AuditEventEntity extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEventEntity);
