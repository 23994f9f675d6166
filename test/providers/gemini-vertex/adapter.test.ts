// Holds how Gemini on Vertex is found, signed in to and checked.
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import type { TokenCache } from '../../../src/kernel/token-cache.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import { createGeminiVertexAdapter } from '../../../src/providers/gemini-vertex/adapter.ts';
import { vertexModelUrl } from '../../../src/providers/vertex/address.ts';
import type { Answer } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';
import { events, JSON_TYPE, piece, SSE } from '../gemini/answers.ts';

const DONE = { headers: SSE, body: events(piece([{ text: 'Hi' }], { finishReason: 'STOP' })) };
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const NOW = new Date('2026-03-01T12:00:00Z');

/** Keeps one token a key, as the shared caches do. */
function plainTokenCache(): TokenCache {
  const known = new Map<string, string>();
  return {
    async get(key, { rejected, signal, fetch }) {
      const token = known.get(key);
      if (token !== undefined && token !== rejected) return token;
      const fetched = await fetch(signal);
      known.set(key, fetched.token);
      return fetched.token;
    },
  };
}

function serviceAccount(tokenUri: string, over: object = {}): Secret {
  return new Secret(
    JSON.stringify({
      type: 'service_account',
      client_email: 'gate@project.iam.gserviceaccount.com',
      private_key_id: 'key-1',
      private_key: PEM,
      token_uri: tokenUri,
      ...over,
    }),
  );
}

const google = (over: Partial<ProviderTarget>): ProviderTarget =>
  providerTarget({
    providerKey: 'google-vertex',
    auth: { type: 'google' },
    settings: { project: 'my-project', location: 'europe-west4' },
    ...over,
  });

async function callVertex(answer: Answer, targetOf: (url: string) => Partial<ProviderTarget>) {
  await using provider = await startProvider(answer);
  const clock = { now: () => NOW, monotonicMs: () => 0 };
  const adapter = createGeminiVertexAdapter({ ...provider, tokens: plainTokenCache(), clock });
  const target = google({ baseUrl: provider.upstream.url, ...targetOf(provider.upstream.url) });
  const request = providerRequest({ target, model: { key: 'gemini-3-flash', reasoning: true } });
  const first = await collectParts(adapter, request);
  const again = first.fault ? undefined : await collectParts(adapter, request);
  const check = await adapter.health
    .check(target, { signal: new AbortController().signal })
    .catch((error) => error);
  return { ...first, again, check, requests: provider.upstream.requests, protocol: adapter.protocol };
}

describe('service accounts', () => {
  test('a service account signs in once, with an assertion that Google can verify, and is never sent itself', async () => {
    const { parts, again, requests, protocol } = await callVertex(
      ({ path }) =>
        path === '/token'
          ? { headers: JSON_TYPE, body: JSON.stringify({ access_token: 'ya29.one', expires_in: 3599 }) }
          : DONE,
      (url) => ({ secret: serviceAccount(`${url}/token`) }),
    );
    expect(protocol).toBe('gemini-vertex');
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    expect(again?.fault).toBeUndefined();
    expect(requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/token', undefined],
      [STREAM, 'Bearer ya29.one'],
      [STREAM, 'Bearer ya29.one'],
      [COUNT, 'Bearer ya29.one'],
    ]);
    const form = new URLSearchParams(requests[0]?.body);
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header = '', claims = '', signature = ''] = form.get('assertion')?.split('.') ?? [];
    const decoded = [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    expect(decoded).toEqual([
      { alg: 'RS256', typ: 'JWT', kid: 'key-1' },
      {
        iss: 'gate@project.iam.gserviceaccount.com',
        scope: 'https://www.googleapis.com/auth/cloud-platform',
        aud: expect.stringMatching(/\/token$/),
        iat: NOW.getTime() / 1000,
        exp: NOW.getTime() / 1000 + 3600,
      },
    ]);
    const signed = Buffer.from(`${header}.${claims}`);
    expect(
      verify(
        'RSA-SHA256',
        signed,
        createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
        Buffer.from(signature, 'base64url'),
      ),
    ).toBe(true);
  });

  test('a service account whose token is refused gets one new token and tries once more', async () => {
    let issued = 0;
    const { fault, requests } = await callVertex(
      ({ path, headers }) => {
        if (path === '/token')
          return { headers: JSON_TYPE, body: JSON.stringify({ access_token: `token-${++issued}` }) };
        return headers.authorization === 'Bearer token-1' ? { status: 401, body: '{}' } : DONE;
      },
      (url) => ({ secret: serviceAccount(`${url}/token`) }),
    );
    expect(fault).toBeUndefined();
    expect(requests.slice(0, 4).map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/token', undefined],
      [STREAM, 'Bearer token-1'],
      ['/token', undefined],
      [STREAM, 'Bearer token-2'],
    ]);
  });

  test('a service account that is refused twice is a fault of the credential', async () => {
    const { fault } = await callVertex(
      ({ path }) =>
        path === '/token'
          ? { headers: JSON_TYPE, body: JSON.stringify({ access_token: 'a' }) }
          : {
              status: 401,
              body: JSON.stringify({ error: { code: 401, message: 'No.', status: 'UNAUTHENTICATED' } }),
            },
      (url) => ({ secret: serviceAccount(`${url}/token`) }),
    );
    expect(fault).toMatchObject({ code: 'PROVIDER_AUTHENTICATION', message: 'No.' });
  });

  test.each([
    [
      400,
      '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}',
      {
        code: 'PROVIDER_AUTHENTICATION',
        providerCode: 'invalid_grant',
        message: expect.stringContaining('Invalid JWT Signature.'),
      },
    ],
    [503, 'Busy', { code: 'PROVIDER_UNAVAILABLE', message: expect.stringContaining('Busy') }],
    [200, '{"token":"x"}', { code: 'PROVIDER_PROTOCOL' }],
  ])('a service account that gets no token (%s %s) says so', async (status, body, expected) => {
    const { fault, check } = await callVertex(
      () => ({ status, headers: JSON_TYPE, body }),
      (url) => ({ secret: serviceAccount(`${url}/token`) }),
    );
    expect(fault).toMatchObject(expected);
    expect(check).toMatchObject(expected);
  });

  test.each([
    ['without a private key', { private_key: undefined }],
    [
      'with a private key that is none',
      { private_key: '-----BEGIN PRIVATE KEY-----\nhello\n-----END PRIVATE KEY-----' },
    ],
  ])('a service account’s key %s cannot be used, and stays secret', async (_name, over) => {
    const { fault, requests } = await callVertex(
      () => DONE,
      (url) => ({ secret: serviceAccount(`${url}/token`, over) }),
    );
    expect(fault).toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
      message: expect.stringContaining('private_key'),
    });
    expect(fault?.message).not.toContain('hello');
    expect(requests).toEqual([]);
  });

  test('a service account’s key that is no JSON cannot be used', async () => {
    const { fault } = await callVertex(
      () => DONE,
      () => ({ secret: new Secret('{"client_email":') }),
    );
    expect(fault).toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
  });
});

const STREAM =
  '/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-3-flash:streamGenerateContent?alt=sse';
const COUNT =
  '/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:countTokens';

test.each([
  [
    'an access token',
    'ya29.abc',
    { project: 'my-project', location: 'europe-west4' },
    { authorization: 'Bearer ya29.abc' },
    STREAM,
  ],
  [
    'an API key with a project',
    'AIzaKey',
    { project: 'my-project', location: 'europe-west4' },
    { 'x-goog-api-key': 'AIzaKey' },
    STREAM,
  ],
  [
    'an express key without a project',
    'AQ.key',
    {},
    { 'x-goog-api-key': 'AQ.key' },
    '/v1beta1/publishers/google/models/gemini-3-flash:streamGenerateContent?alt=sse',
  ],
])(
  'a credential of Google travels as Google wants it: %s',
  async (_name, secret, settings, headers, path) => {
    const { requests } = await callVertex(
      () => DONE,
      () => ({ secret: new Secret(secret), settings }),
    );
    expect(requests[0]).toMatchObject({ path, headers });
  },
);

test('without a credential only the headers of the config travel', async () => {
  const { requests } = await callVertex(
    () => DONE,
    () => ({
      secret: new Secret(''),
      headers: { 'X-Proxy': new Secret('token') },
    }),
  );
  expect(requests[0]?.headers).toMatchObject({ 'x-proxy': 'token' });
  expect(requests[0]?.headers).not.toHaveProperty('authorization');
});

const url = (over: Partial<ProviderTarget>) =>
  vertexModelUrl(google({ baseUrl: 'https://aiplatform.googleapis.com', ...over }), {
    apiVersion: 'v1',
    publisher: 'google',
    modelKey: 'm',
    method: 'countTokens',
  });

test.each([
  [
    { project: 'p', location: 'europe-west4' },
    'https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google/models/m:countTokens',
  ],
  [
    { project: 'p' },
    'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/m:countTokens',
  ],
  [
    { project: 'p', location: 'eu' },
    'https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/m:countTokens',
  ],
  [{}, 'https://aiplatform.googleapis.com/v1/publishers/google/models/m:countTokens'],
])('the host of Vertex follows from the settings %j', (settings, expected) => {
  expect(url({ settings })).toBe(expected);
});

test('a base URL that names a publisher is complete', () => {
  const baseUrl = 'https://proxy.example/v1/projects/p/locations/l/publishers/google';
  expect(url({ baseUrl })).toBe(`${baseUrl}/models/m:countTokens`);
});

test('settings of Vertex that could lead to another host are refused', () => {
  expect(() => url({ settings: { project: 'p', location: 'evil.example/' } })).toThrow(/location/);
});

test.each([
  [{ status: 200, body: '{"totalTokens":1}' }, undefined],
  [
    {
      status: 404,
      body: '{"error":{"code":404,"message":"Publisher Model not found.","status":"NOT_FOUND"}}',
    },
    undefined,
  ],
  [{ status: 404, body: '<html>nginx</html>' }, { code: 'MODEL_UNAVAILABLE' }],
  [
    { status: 403, body: '{"error":{"code":403,"message":"Denied.","status":"PERMISSION_DENIED"}}' },
    { code: 'PROVIDER_AUTHENTICATION' },
  ],
])('the check of Vertex takes %j as %j', async (reply, expected) => {
  const { check } = await callVertex(
    ({ path }) => (path === COUNT ? reply : DONE),
    () => ({ secret: new Secret('ya29.x') }),
  );
  if (expected) expect(check).toMatchObject(expected);
  else expect(check).toBeUndefined();
});
