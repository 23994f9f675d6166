// Owns which price a model has at a given moment: the price version in force, else the price of the price library.
import type { PriceRow } from '../catalogue/snapshot.ts';
import type { Price } from './cost.ts';
import { libraryPrice } from './library-price.ts';

/** Price versions by canonical id, oldest first. */
export type PriceVersions = ReadonlyMap<string, readonly PriceRow[]>;

export function priceInForce(versions: PriceVersions, canonicalId: string, at: Date): Price | undefined {
  const own = versions.get(canonicalId)?.findLast((version) => version.effectiveAt <= at);
  return own ?? libraryPrice(canonicalId);
}
