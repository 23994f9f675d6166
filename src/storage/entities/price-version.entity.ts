// Owns the mapping of price versions: append-only, in nano-dollars per million tokens.
import { defineEntity, p } from '@mikro-orm/core';

/** Prices that hold when a request's input is larger than `aboveInputTokens`; decimal text of nano-dollars per million. */
export interface PriceTier {
  readonly aboveInputTokens: number;
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheWrite?: string;
}

const PriceVersionSchema = defineEntity({
  name: 'PriceVersion',
  tableName: 'price_version',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid().nullable(),
    canonicalId: p.text(),
    inputNanoPerMillion: p.bigint('bigint'),
    outputNanoPerMillion: p.bigint('bigint'),
    cacheReadNanoPerMillion: p.bigint('bigint').nullable(),
    cacheWriteNanoPerMillion: p.bigint('bigint').nullable(),
    reasoningNanoPerMillion: p.bigint('bigint').nullable(),
    tiers: p.json().$type<readonly PriceTier[]>(),
    /** Where the price comes from, e.g. `catalogue 2026-11-20`. */
    source: p.text(),
    effectiveAt: p.datetime(),
    createdAt: p.datetime(),
  },
});

export class PriceVersionEntity extends PriceVersionSchema.class {}
PriceVersionSchema.setClass(PriceVersionEntity);
