// Holds the rules of signing in to GigaChat: the exchange, one token for all, one replacement, and faults told apart.

import { describe, expect, test } from 'vitest';
import { createMemoryTokenCache } from '../../../src/coordination/memory/token-cache.ts';
import { type Clock, systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { Secret } from '../../../src/kernel/secret.ts';
import { createGigaChatAdapter } from '../../../src/providers/gigachat/adapter.ts';
import { createUpstreamHttp } from '../../../src/providers/http/upstream-http.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import { startTlsUpstream, testAuthorityPem } from '../../support/fake-upstream-tls.ts';
import {
  collectParts,
  dependenciesOn,
  providerRequest,
  providerTarget,
} from '../../support/provider-calls.ts';
import { AUTHORIZATION_KEY, json, startGigaChat, unauthorized, whole } from './fake-gigachat.ts';

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('GigaChat token exchange', () => {
  test('the GigaChat exchange sends the key as Basic, a fresh RqUID and the scope, and the token with the call', async () => {
    await using fake = await startGigaChat({ settings: { scope: 'GIGACHAT_API_CORP' } });
    const { parts } = await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    const [signIn, call] = fake.upstream.requests;
    expect(signIn).toMatchObject({
      method: 'POST',
      path: '/oauth',
      body: 'scope=GIGACHAT_API_CORP',
      headers: {
        authorization: `Basic ${AUTHORIZATION_KEY}`,
        rquid: expect.stringMatching(UUID4),
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
    });
    expect(call?.headers.authorization).toBe('Bearer token-1');
  });

  test.each(['client:secret', `Basic ${AUTHORIZATION_KEY}`, ` ${AUTHORIZATION_KEY}\n`])(
    'the GigaChat exchange takes the key also as %j',
    async (text) => {
      await using fake = await startGigaChat({ target: { secret: new Secret(text) } });
      await collectParts(fake.adapter, providerRequest({ target: fake.target }));
      expect(fake.upstream.requests[0]?.headers.authorization).toBe(`Basic ${AUTHORIZATION_KEY}`);
      expect(fake.upstream.requests[0]?.body).toBe('scope=GIGACHAT_API_PERS');
    },
  );

  test('the GigaChat exchange of login and password goes to the base URL', async () => {
    await using fake = await startGigaChat({
      settings: { auth: 'password' },
      target: { secret: new Secret('user:pass word') },
      signIn: () => json({ tok: 'stand-token', exp: Math.floor(Date.now() / 1000) + 1800 }),
    });
    await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    const [signIn, ...calls] = fake.upstream.requests;
    expect(signIn).toMatchObject({ method: 'POST', path: '/api/token', body: '' });
    expect(signIn?.headers.authorization).toBe(`Basic ${Buffer.from('user:pass word').toString('base64')}`);
    expect(calls.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer stand-token',
      'Bearer stand-token',
    ]);
  });

  test('the GigaChat exchange is left out where the config has a plain header, and the config adds its own headers', async () => {
    await using fake = await startGigaChat({
      answer: ({ path }) =>
        path === '/api/models' ? json({ object: 'list', data: [] }) : whole({ content: 'Hi' }),
      target: {
        auth: { type: 'header', header: 'Authorization', prefix: 'Bearer ', optional: false },
        secret: new Secret('ready'),
        headers: { 'X-Client-ID': new Secret('me') },
      },
    });
    await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    await fake.adapter.health.check(fake.target, { signal: new AbortController().signal });
    expect(fake.upstream.requests.map(({ path }) => path)).toEqual(['/api/chat/completions', '/api/models']);
    expect(fake.upstream.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer ready',
      'x-client-id': 'me',
    });
  });
});

describe('tokens', () => {
  test('a GigaChat token is fetched once for fifty runs at a time', async () => {
    await using fake = await startGigaChat();
    const runs = Array.from({ length: 50 }, () =>
      collectParts(fake.adapter, providerRequest({ target: fake.target })),
    );
    for (const { parts } of await Promise.all(runs)) expect(parts.at(-1)?.type).toBe('finish');
    expect(fake.requestsTo('/oauth')).toHaveLength(1);
    expect(fake.bodies()).toHaveLength(50);
  });

  test.each([
    ['milliseconds', 1],
    ['seconds', 1000],
  ])(
    'a GigaChat token whose end is told in %s is kept until 60 seconds before it',
    async (_unit, divisor) => {
      let nowMs = 1_800_000_000_000;
      const clock: Clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
      await using fake = await startGigaChat({
        dependencies: { tokens: createMemoryTokenCache({ clock }) },
        signIn: (_request, count) =>
          json({ access_token: `t${count}`, expires_at: (nowMs + 1_800_000) / divisor }),
      });
      const run = () => collectParts(fake.adapter, providerRequest({ target: fake.target }));
      await run();
      nowMs += 1_739_000;
      await run();
      expect(fake.requestsTo('/oauth')).toHaveLength(1);
      nowMs += 1000;
      await run();
      expect(fake.requestsTo('/oauth')).toHaveLength(2);
      expect(fake.requestsTo('/api/chat/completions').at(-1)?.headers.authorization).toBe('Bearer t2');
    },
  );

  test('a GigaChat token that the API refuses is replaced once for all runs that got it, and each call is sent once more', async () => {
    await using fake = await startGigaChat();
    await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    fake.revoke('token-1');
    const runs = Array.from({ length: 20 }, () =>
      collectParts(fake.adapter, providerRequest({ target: fake.target })),
    );
    for (const { parts } of await Promise.all(runs)) expect(parts.at(-1)?.type).toBe('finish');
    expect(fake.requestsTo('/oauth')).toHaveLength(2);
    expect(fake.bodies()).toHaveLength(1 + 20 + 20);
  });

  test('a GigaChat token refused twice is an authentication fault, without a third try', async () => {
    await using fake = await startGigaChat({ answer: () => unauthorized });
    const { fault, parts } = await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    expect(parts).toEqual([]);
    expect(fault).toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
      message: 'Token has expired',
      status: 401,
      transient: false,
    });
    expect(fake.requestsTo('/oauth')).toHaveLength(2);
    expect(fake.bodies()).toHaveLength(2);
  });

  test('a GigaChat token is not shared between credentials or scopes', async () => {
    await using fake = await startGigaChat();
    const run = (settings: object, secret: string) => {
      const target = {
        ...fake.target,
        settings: { ...fake.target.settings, ...settings },
        secret: new Secret(secret),
      };
      return collectParts(fake.adapter, providerRequest({ target }));
    };
    await run({}, AUTHORIZATION_KEY);
    await run({ scope: 'GIGACHAT_API_B2B' }, AUTHORIZATION_KEY);
    await run({}, 'b3RoZXI6a2V5');
    await run({}, AUTHORIZATION_KEY);
    expect(fake.requestsTo('/oauth')).toHaveLength(3);
  });
});

describe('refused sign-ins', () => {
  const refusals: [string, Reply, object][] = [
    [
      'a key that is none',
      json({ code: 4, message: "Can't decode 'Authorization' header" }, 401),
      { code: 'PROVIDER_AUTHENTICATION', status: 401, providerCode: '4' },
    ],
    [
      'a revoked key',
      json({ code: 6, message: "credentials doesn't match db data" }, 401),
      { code: 'PROVIDER_AUTHENTICATION', providerRequestId: 'rq-1' },
    ],
    [
      'a scope of another contract',
      json({ code: 7, message: 'scope from db not fully includes consumed scope' }, 400),
      { code: 'PROVIDER_AUTHENTICATION', status: 400 },
    ],
    [
      'an empty scope',
      json({ code: 5, message: 'scope is empty' }, 400),
      { code: 'PROVIDER_AUTHENTICATION' },
    ],
    [
      'another bad request',
      json({ code: 99, message: 'RqUID is not valid' }, 400),
      { code: 'PROVIDER_INVALID_REQUEST' },
    ],
    [
      'too many requests',
      json({ status: 429, message: 'Too Many Requests' }, 429),
      { code: 'PROVIDER_RATE_LIMITED', transient: true },
    ],
    [
      'a page of the gateway',
      { status: 502, body: '<html><title>502 Bad Gateway</title></html>' },
      { code: 'PROVIDER_UNAVAILABLE', message: 'Signing in failed: 502 Bad Gateway' },
    ],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://example.com/' }, body: '' },
      { code: 'PROVIDER_UNAVAILABLE' },
    ],
    [
      'no words',
      { status: 403, body: '' },
      { code: 'PROVIDER_AUTHENTICATION', message: 'Signing in failed (status 403).' },
    ],
    ['an answer without a token', json({ ok: true }), { code: 'PROVIDER_PROTOCOL' }],
    [
      'an echo of the key',
      json({ code: 6, message: `bad ${AUTHORIZATION_KEY}` }, 401),
      { message: 'Signing in failed: bad [secret]' },
    ],
  ];
  test.each(refusals)(
    'a refused GigaChat sign-in for %s is raised once, and nothing is called',
    async (_name, reply, expected) => {
      await using fake = await startGigaChat({ signIn: () => reply });
      const { fault } = await collectParts(fake.adapter, providerRequest({ target: fake.target }));
      expect(fault).toMatchObject(expected);
      expect(fake.upstream.requests).toHaveLength(1);
    },
  );

  test('a refused GigaChat sign-in is forgotten: the next run asks again', async () => {
    await using fake = await startGigaChat({
      signIn: (_request, count) =>
        count === 1
          ? json({ code: 6, message: 'no' }, 401)
          : json({ access_token: 't', expires_at: Date.now() + 1_800_000 }),
    });
    expect((await collectParts(fake.adapter, providerRequest({ target: fake.target }))).fault).toBeDefined();
    expect(
      (await collectParts(fake.adapter, providerRequest({ target: fake.target }))).fault,
    ).toBeUndefined();
  });

  test('a refused GigaChat sign-in is told without a call where there is no credential', async () => {
    await using fake = await startGigaChat();
    const { secret: _secret, ...target } = fake.target;
    const { fault } = await collectParts(fake.adapter, providerRequest({ target }));
    expect(fault).toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
    expect(fake.upstream.requests).toHaveLength(0);
  });

  test('a refused GigaChat sign-in that hangs ends as a time limit', async () => {
    await using fake = await startGigaChat({
      signIn: () => ({ body: '', fault: 'silent' }),
      limits: { tokenLimitMs: 20 },
    });
    const { fault } = await collectParts(fake.adapter, providerRequest({ target: fake.target }));
    expect(fault).toMatchObject({ code: 'PROVIDER_TIMEOUT', transient: true });
  });
});

describe('checks', () => {
  const { signal } = new AbortController();

  test('a GigaChat check is a new token, and leaves a good one in use when it fails', async () => {
    let refuse = false;
    await using fake = await startGigaChat({
      signIn: (_request, count) =>
        refuse
          ? json({ code: 6, message: 'no' }, 401)
          : json({ access_token: `t${count}`, expires_at: Date.now() + 1_800_000 }),
    });
    await fake.adapter.health.check(fake.target, { signal });
    await fake.adapter.health.check(fake.target, { signal });
    expect(fake.upstream.requests.map(({ path }) => path)).toEqual(['/oauth', '/oauth']);
    refuse = true;
    await expect(fake.adapter.health.check(fake.target, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
    });
    expect(
      (await collectParts(fake.adapter, providerRequest({ target: fake.target }))).fault,
    ).toBeUndefined();
  });

  test('a GigaChat check ends within its limit', async () => {
    await using fake = await startGigaChat({
      signIn: () => ({ body: '', fault: 'silent' }),
      limits: { checkLimitMs: 20 },
    });
    await expect(fake.adapter.health.check(fake.target, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_TIMEOUT',
    });
    await fake.upstream.requests[0]?.aborted;
  });
});

test('settings and quirks of GigaChat that are not valid are named', async () => {
  await using fake = await startGigaChat({ settings: { oauthUrl: 'nowhere' } });
  const { fault } = await collectParts(fake.adapter, providerRequest({ target: fake.target }));
  expect(fault).toMatchObject({
    code: 'PROVIDER_INVALID_REQUEST',
    message: expect.stringContaining('oauthUrl'),
  });
  const target = { ...fake.target, quirks: { reasoningEfforts: 1 } };
  expect(() => fake.adapter.completions.unsupported(providerRequest({ target }))).toThrow(
    'Quirks of gigachat',
  );
});

test('a certificate of another authority is trusted by the GigaChat config that brings it, and by no other', async () => {
  const completion = { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] };
  await using upstream = await startTlsUpstream((path) =>
    path === '/oauth' ? { access_token: 't', expires_at: Date.now() + 1_800_000 } : completion,
  );
  const url = `https://127.0.0.1:${upstream.port}`;
  const http = createUpstreamHttp({ logger: silentLogger });
  const adapter = createGigaChatAdapter({
    ...dependenciesOn(http),
    tokens: createMemoryTokenCache({ clock: systemClock }),
  });
  const run = (settings: object) => {
    const target = providerTarget({
      baseUrl: `${url}/api`,
      auth: { type: 'gigachat' },
      settings: { oauthUrl: `${url}/oauth`, ...settings },
    });
    return collectParts(adapter, providerRequest({ target }));
  };
  const { signal } = new AbortController();
  try {
    const refused = await run({});
    expect(refused.fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('certificate'),
      transient: false,
    });
    const trusted = await run({ caPem: testAuthorityPem });
    expect(trusted.parts).toContainEqual({ type: 'text-delta', text: 'Hi' });
    const broken = {
      ...providerTarget(),
      auth: { type: 'gigachat' },
      settings: { oauthUrl: `${url}/oauth`, caPem: 'no PEM' },
    } as const;
    await expect(adapter.health.check(broken, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('CA bundle'),
    });
  } finally {
    await http.close();
  }
});
