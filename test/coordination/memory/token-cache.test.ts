// Holds the in-process token cache to its contract.
import { describe, expect, test } from 'vitest';
import { createMemoryTokenCache } from '../../../src/coordination/memory/token-cache.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { tokenCacheContract } from '../../contracts/token-cache.ts';

describe('token cache in the process', () => {
  tokenCacheContract((clock) => ({
    cache: createMemoryTokenCache({ clock }),
    async [Symbol.asyncDispose]() {},
  }));

  test('the token cache in the process forgets tokens that have expired', async () => {
    const cache = createMemoryTokenCache({ clock: systemClock });
    const { signal } = new AbortController();
    const fetch = async () => ({ token: 'dead', expiresAtMs: 0 });
    expect(await cache.get('one', { minLifeMs: 0, signal, fetch })).toBe('dead');
    expect(await cache.get('two', { minLifeMs: 0, signal, fetch })).toBe('dead');
    expect(
      await cache.get('one', { minLifeMs: 0, signal, fetch: async () => ({ token: 'new', expiresAtMs: 0 }) }),
    ).toBe('new');
  });
});
