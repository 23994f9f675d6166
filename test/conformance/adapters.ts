// Owns the adapters under test: the built-in ones, with a real HTTP pool and a token cache that keeps nothing.
import { systemClock } from '../../src/kernel/clock.ts';
import { newId } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { TokenCache } from '../../src/kernel/token-cache.ts';
import { createBuiltInAdapters } from '../../src/providers/built-in-adapters.ts';
import type { CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import { createUpstreamHttp } from '../../src/providers/http/upstream-http.ts';
import { createAdapterRegistry } from '../../src/providers/registry.ts';

export interface AdapterSet {
  get(protocol: string): CompletionAdapter | undefined;
  close(): Promise<void>;
}

export function openAdapters(): AdapterSet {
  const http = createUpstreamHttp({ logger: silentLogger });
  const tokens: TokenCache = {
    get: async (_key, { fetch, signal }) => (await fetch(signal)).token,
  };
  const registry = createAdapterRegistry(createBuiltInAdapters({ http, tokens, clock: systemClock, newId }));
  return {
    get: (protocol) => registry.get(protocol) as CompletionAdapter | undefined,
    close: () => http.close(),
  };
}
