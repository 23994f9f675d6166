// Owns the mapping of ledger entries for reading; entries are only ever added, by functions of the database.
import { defineEntity, p } from '@mikro-orm/core';

export type LedgerEntryKind = 'CREDIT' | 'ADJUSTMENT' | 'CHARGE';

const LedgerEntrySchema = defineEntity({
  name: 'LedgerEntry',
  tableName: 'ledger_entry',
  properties: {
    id: p.bigint('string').primary(),
    workspaceId: p.uuid(),
    kind: p.text().$type<LedgerEntryKind>(),
    /** Charges are negative. */
    amountNano: p.bigint('bigint'),
    /** The balance after this entry. */
    balanceNano: p.bigint('bigint'),
    runId: p.uuid().nullable(),
    description: p.text(),
    createdBy: p.text(),
    createdAt: p.datetime(),
  },
});

export class LedgerEntryEntity extends LedgerEntrySchema.class {}
LedgerEntrySchema.setClass(LedgerEntryEntity);
