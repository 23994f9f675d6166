// Owns how the audit trail is asked for and shown.
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { AuditEventRow, AuditQuery } from '../../domain/identity/audit-service.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { connectionOf } from '../connection.ts';
import { type NodeTypeName, readGlobalId, toGlobalId } from '../global-id.ts';
import { DateTimeScalar, JsonObjectScalar } from '../scalars.ts';

@ObjectType('AuditEvent', {
  description: 'A record of one change: who changed what. Records are never changed or deleted.',
  simpleResolvers: true,
})
export class AuditEventType {
  @Field(() => ID, { description: 'Id of the record; it grows with each one.' })
  id!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  at!: Date;

  @Field(() => String, {
    description:
      'Who made the change: `key:<id>`, `sub:<subject>`, `gateway` for the gateway itself, `database` for plain SQL, `operator` for a command.',
  })
  actor!: string;

  @Field(() => String, {
    description: 'CREATED, CHANGED, DELETED, ROTATED, REVOKED, RESEALED, CREDITED or ADJUSTED.',
  })
  action!: string;

  @Field(() => String, { description: 'Type of the object, e.g. `ProviderConfig`.' })
  objectType!: string;

  @Field(() => ID, { description: 'The object’s id.' })
  objectId!: string;

  @Field(() => String, { nullable: true, description: 'The object’s name at that time.' })
  objectName!: string | null;

  @Field(() => ID, { nullable: true, description: 'Id of the workspace.' })
  workspaceId!: string | null;

  @Field(() => JsonObjectScalar, {
    description:
      'Each column that changed, with its value `from` before and `to` after; of a secret, only the fact that it changed.',
  })
  changes!: JsonObject;
}

export const AuditEventConnection = connectionOf(() => AuditEventType, 'AuditEvent');

@InputType({ description: 'Which events to list.' })
export class AuditFilterInput {
  @Field(() => String, { nullable: true, description: 'The actor.' })
  actor?: string | null;

  @Field(() => String, { nullable: true, description: 'The action.' })
  action?: string | null;

  @Field(() => String, { nullable: true, description: 'Type of the object, e.g. `ProviderConfig`.' })
  objectType?: string | null;

  @Field(() => ID, { nullable: true, description: 'Id of the object that was changed.' })
  objectId?: string | null;
}

/** The graph's type names for the tables of the audit trail. */
const TYPES: Readonly<Record<string, string>> = {
  workspace: 'Workspace',
  api_key: 'ApiKey',
  member: 'Member',
  provider_spec: 'ProviderSpec',
  provider_config: 'ProviderConfig',
  model_spec: 'ModelSpec',
  price_version: 'PriceVersion',
  model_instance: 'ModelInstance',
  budget: 'Budget',
  ledger_entry: 'LedgerEntry',
};
/** Rows of these types are no nodes, so they keep the ids of the database. */
const NOT_NODES = new Set(['Member', 'Budget', 'LedgerEntry']);

export function toAuditEventType(row: AuditEventRow): AuditEventType {
  const { id, at, actor, action, workspaceId, objectId, objectName, changes } = row;
  const objectType = TYPES[row.objectType] ?? row.objectType;
  return {
    id,
    at,
    actor,
    action,
    objectType,
    objectId: NOT_NODES.has(objectType) ? objectId : toGlobalId(objectType as NodeTypeName, objectId),
    objectName: objectName ?? null,
    workspaceId: workspaceId ? toGlobalId('Workspace', workspaceId) : null,
    changes,
  };
}

export function toAuditQuery(filter: AuditFilterInput | null | undefined): AuditQuery {
  const { actor, action, objectType, objectId } = filter ?? {};
  const table = Object.keys(TYPES).find((name) => TYPES[name] === objectType) ?? objectType;
  return {
    ...(actor == null ? {} : { actor }),
    ...(action == null ? {} : { action }),
    ...(table == null ? {} : { objectType: table }),
    ...(objectId == null ? {} : { objectId: readGlobalId(objectId)?.id ?? objectId }),
  };
}
