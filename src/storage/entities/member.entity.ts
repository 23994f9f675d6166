// Owns the mapping of members: the limits and allowed models of one JWT subject in a workspace, like those of an API key.
import { defineEntity, p } from '@mikro-orm/core';
import type { CallLimits } from '../../kernel/call-limits.ts';

const MemberSchema = defineEntity({
  name: 'Member',
  tableName: 'member',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    /** The token's `sub`. */
    subject: p.text(),
    /** Empty: every model. */
    allowedModels: p.array(),
    limits: p.json().$type<CallLimits>(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class MemberEntity extends MemberSchema.class {}
MemberSchema.setClass(MemberEntity);
