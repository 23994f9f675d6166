// Owns the look-up of adapters by protocol name: adapters are code, everything else about a provider is a row.
import type { Adapter } from './contract/adapter.ts';
import { discreet } from './discreet-adapter.ts';

export interface AdapterRegistry {
  get(protocol: string): Adapter | undefined;
  protocols(): string[];
}

/** `issuedTokens`: the provider tokens that were issued lately, which no adapter may repeat in an error or a record. */
export function createAdapterRegistry(
  adapters: readonly Adapter[],
  issuedTokens: Iterable<string> = [],
): AdapterRegistry {
  const byProtocol = new Map<string, Adapter>();
  for (const adapter of adapters) {
    if (byProtocol.has(adapter.protocol)) {
      throw new Error(`Two adapters claim the protocol "${adapter.protocol}".`);
    }
    byProtocol.set(adapter.protocol, discreet(adapter, issuedTokens));
  }
  return {
    get: (protocol) => byProtocol.get(protocol),
    protocols: () => [...byProtocol.keys()].sort(),
  };
}
