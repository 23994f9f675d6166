// Owns the look-up of adapters by protocol name: adapters are code, everything else about a provider is a row.
import type { Adapter, CompletionAdapter } from './contract/adapter.ts';
import { discreet } from './discreet-adapter.ts';

export interface AdapterRegistry {
  get(protocol: string): Adapter | undefined;
  /** The adapter of a protocol that has completions; nothing where the protocol is unknown here, or has none. */
  completing(protocol: string): CompletionAdapter | undefined;
  protocols(): string[];
}

/** `issuedTokens`: tokens that no adapter may repeat, as they stand when something is told. */
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
    completing(protocol) {
      const adapter = byProtocol.get(protocol);
      return adapter && hasCompletions(adapter) ? adapter : undefined;
    },
    protocols: () => [...byProtocol.keys()].sort(),
  };
}

function hasCompletions(adapter: Adapter): adapter is CompletionAdapter {
  return adapter.completions !== undefined;
}
