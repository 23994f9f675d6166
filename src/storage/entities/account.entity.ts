// Owns the mapping of accounts for reading: a workspace's balance and how much of it is reserved, both caches of the ledger and the holds.
import { defineEntity, p } from '@mikro-orm/core';

const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'account',
  properties: {
    workspaceId: p.uuid().primary(),
    balanceNano: p.bigint('bigint'),
    reservedNano: p.bigint('bigint'),
    updatedAt: p.datetime(),
  },
});

export class AccountEntity extends AccountSchema.class {}
AccountSchema.setClass(AccountEntity);
