import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';

const BROWSER = { accept: 'text/html,*/*' };

describe('sign-in of the explorer', () => {
  let app: TestApp;
  let code: string;
  beforeAll(async () => {
    app = await startTestApp('postgresql', { environment: { CORS_ORIGINS: '*', EXPLORER: 'on' } });
    code = new URL(app.app.explorerUrl ?? '').hash.replace('#sign-in=', '');
  });
  const signIn = (given: string, headers: Record<string, string> = {}) =>
    fetch(`${app.url}/explorer/sign-in`, {
      method: 'POST',
      headers: { 'x-sign-in-code': given, ...headers },
    });

  test("the explorer's sign-in never puts the key into the page, whoever asks, and lets no other origin read it", async () => {
    for (const headers of [{}, { origin: 'https://evil.example' }, { 'x-forwarded-for': '203.0.113.1' }]) {
      const response = await fetch(`${app.url}/graphql`, { headers: { ...BROWSER, ...headers } });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      const page = await response.text();
      expect(page).toContain('AltairGraphQL.init');
      expect(page).not.toContain(app.adminKey);
      expect(page).not.toContain(code);
    }
  });

  test.each([
    ['a page of another origin', { origin: 'https://evil.example' }],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a proxy', { 'x-forwarded-for': '203.0.113.1' }],
    ['another proxy', { via: '1.1 proxy' }],
    ['a tunnel', { forwarded: 'for=203.0.113.1' }],
  ])(
    "the explorer's sign-in is refused to %s, even with the code, which stays good",
    async (_who, headers) => {
      const response = await signIn(code, headers);
      expect(response.status).toBe(403);
      expect(await response.text()).not.toContain(app.adminKey);
    },
  );

  test("the explorer's sign-in gives the key to whoever brings the code, once", async () => {
    expect((await signIn('0'.repeat(code.length))).status).toBe(403);
    expect((await signIn('')).status).toBe(403);
    const response = await signIn(code, { origin: app.url, 'sec-fetch-site': 'same-origin' });
    expect([response.status, await response.json()]).toEqual([200, { apiKey: app.adminKey }]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect((await signIn(code)).status).toBe(403);
  });

  test("the explorer's sign-in does not exist in production, nor where it is reached from elsewhere", async () => {
    const production = await startTestApp('postgresql', {
      environment: { NODE_ENV: 'production', EXPLORER: 'on' },
    });
    expect(production.app.explorerUrl).toBe(`${production.url}/graphql`);
    const open = await startTestApp('postgresql', { environment: { HOST: '0.0.0.0', EXPLORER: 'on' } });
    expect(open.app.explorerUrl).toBe(`${open.url}/graphql`);
  });

  test('the explorer is where a browser is led that asks for the root; others are told the doors', async () => {
    const led = await fetch(`${app.url}/`, { headers: BROWSER, redirect: 'manual' });
    expect([led.status, led.headers.get('location')]).toEqual([302, '/graphql']);
    const told = await fetch(`${app.url}/`, { headers: { accept: 'application/json' } });
    expect(await told.json()).toMatchObject({
      graphql: '/graphql',
      stream: '/graphql/stream',
      explorer: '/graphql',
    });
    const nowhere = await fetch(`${app.url}/grpahql`);
    expect([nowhere.status, ((await nowhere.json()) as any).errors[0]]).toEqual([
      404,
      {
        message: 'There is nothing at GET /grpahql; the graph is at /graphql',
        extensions: { code: 'NOT_FOUND', requestId: expect.any(String) },
      },
    ]);
  });
});
