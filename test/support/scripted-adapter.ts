// Owns an adapter for tests that answers completions by a given script, and refuses nothing.
import type { CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import type { Completions } from '../../src/providers/contract/completions.ts';

export function scriptedAdapter(protocol: string, stream: Completions['stream']): CompletionAdapter {
  return {
    protocol,
    completions: {
      optionRules: { reserved: {}, priced: [], extended: [] },
      unsupported: () => [],
      stream,
    },
    health: { check: async () => {} },
  };
}

/** The same adapter, with another stream. */
export function withStream(adapter: CompletionAdapter, stream: Completions['stream']): CompletionAdapter {
  return { ...adapter, completions: { ...adapter.completions, stream } };
}
