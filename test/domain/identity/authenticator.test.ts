import { expect, test } from 'vitest';
import { hashApiKey } from '../../../src/domain/identity/api-keys.ts';
import { Authenticator } from '../../../src/domain/identity/authenticator.ts';
import { deferred } from '../../../src/kernel/async.ts';
import { systemClock } from '../../../src/kernel/clock.ts';

const KEY = 'mg_made-on-another-node';

test('a new key is taken although a refresh that began before it was written is under way', async () => {
  const written: string[] = [];
  const firstRead = deferred();
  let refreshes = 0;
  const rows = async (table: string) => (table === 'api_key' ? written.map(rowOf) : []);
  const authenticator: Authenticator = new Authenticator({
    repository: { rows } as never,
    clock: systemClock,
    uses: { used() {} } as never,
    // The first one has read when it still had nothing to find, and takes its time.
    refresh: async () => {
      refreshes += 1;
      const found = new Set(['api_key'] as const);
      if (refreshes > 1) return authenticator.reload(found);
      await firstRead.promise;
    },
    jwt: undefined,
    defaultLimits: {},
  });
  try {
    const unknown = Promise.resolve(authenticator.signIn('Bearer mg_unknown')).catch((error) => error.code);
    written.push(KEY);
    const late = [1, 2, 3].map(async () => authenticator.signIn(`Bearer ${KEY}`));
    firstRead.resolve();
    expect(await unknown).toBe('UNAUTHENTICATED');
    for (const signedIn of await Promise.all(late)) expect(signedIn.viewer().caller).toBe('key:1');
    // All who came meanwhile share one refresh.
    expect(refreshes).toBe(2);
  } finally {
    authenticator.close();
  }
});

function rowOf(text: string) {
  return {
    id: '1',
    workspaceId: 'w',
    hash: hashApiKey(text),
    scopes: ['run'],
    allowedModels: [],
    limits: {},
  };
}
