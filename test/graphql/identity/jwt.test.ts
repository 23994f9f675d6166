import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../src/configuration/config.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const ISSUER = 'https://login.test/';
const AUDIENCE = 'modelgraph';
const SECRET = 'a-secret-of-at-least-thirty-two-characters';

const claims = (over: JWTPayload = {}) => ({ sub: 'ann', workspace: 'default', roles: ['run'], ...over });
const signed = (
  payload: JWTPayload,
  key: Parameters<SignJWT['sign']>[0],
  header: { alg: string; kid?: string },
  times: { exp?: string | number } = {},
) =>
  new SignJWT(payload)
    .setProtectedHeader(header)
    .setIssuer((payload.iss as string) ?? ISSUER)
    .setAudience((payload.aud as string) ?? AUDIENCE)
    .setExpirationTime(times.exp ?? '1h')
    .sign(key);
const bySecret = (over: JWTPayload = {}, times = {}, secret = SECRET, alg = 'HS256') =>
  signed(claims(over), new TextEncoder().encode(secret), { alg }, times);

describe('JWTs by a secret', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp('embedded', {
      environment: {
        JWT_ISSUER: ISSUER,
        JWT_AUDIENCE: AUDIENCE,
        JWT_SECRET: SECRET,
        JWT_WORKSPACE_CLAIM: 'https://modelgraph.test/workspace',
        JWT_DEFAULT_WORKSPACE: 'default',
        JWT_ROLES_CLAIM: 'realm.roles',
        JWT_ROLES: 'llm-admin=admin,dev=run+read,runner=run',
      },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    await app.graph(
      'mutation { createProviderConfig(input: {name: "S", providerKey: "sandbox"}) { providerConfig { id } } }',
    );
  });
  const token = (over: JWTPayload = {}, times = {}) =>
    bySecret({ roles: undefined, workspace: undefined, realm: { roles: ['dev'] }, ...over }, times);
  const viewer = async (text: string) =>
    app.graph('{ viewer { caller scopes installationAdmin workspaceId } }', {}, text);

  test('JWTs checked by a secret stand for a member of a workspace, with the scopes of its roles', async () => {
    const { data } = await viewer(await token());
    expect(data.viewer).toMatchObject({
      caller: 'sub:ann',
      scopes: ['run', 'read'].map((scope) => scope.toUpperCase()),
      installationAdmin: false,
    });
    const other = await app.createWorkspace();
    const there = await viewer(
      await token({
        'https://modelgraph.test/workspace': other.slug,
        realm: { roles: ['llm-admin', 'dev'] },
      }),
    );
    expect(there.data.viewer).toMatchObject({ workspaceId: other.id, scopes: ['ADMIN', 'RUN', 'READ'] });
    // An administrator by token is one of its workspace, never of the installation.
    const admin = await viewer(await token({ realm: { roles: 'llm-admin' } }));
    expect(admin.data.viewer).toMatchObject({ scopes: ['ADMIN'], installationAdmin: false });
  });

  test.each<[string, () => Promise<string> | string]>([
    ['that have expired', () => token({}, { exp: Math.floor(Date.now() / 1_000) - 60 })],
    [
      'without an end',
      () =>
        new SignJWT(claims({ realm: { roles: ['dev'] } }))
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .sign(new TextEncoder().encode(SECRET)),
    ],
    ['without a subject', () => token({ sub: undefined })],
    ['with an empty subject', () => token({ sub: '' })],
    ['of another issuer', () => token({ iss: 'https://evil.test/' })],
    ['for somebody else', () => token({ aud: 'other' })],
    [
      'of another secret',
      () => bySecret({ realm: { roles: ['dev'] } }, {}, 'another-secret-of-thirty-two-characters'),
    ],
    [
      'by an algorithm that is not configured',
      () => bySecret({ realm: { roles: ['dev'] } }, {}, SECRET, 'HS512'),
    ],
    [
      'without a signature',
      () =>
        new UnsecuredJWT(claims()).setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime('1h').encode(),
    ],
    ['of a workspace that is not here', () => token({ 'https://modelgraph.test/workspace': 'nowhere' })],
    ['without a role that is known here', () => token({ realm: { roles: ['visitor'] } })],
    [
      'that were tampered with',
      async () =>
        (await token()).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url')}.`,
        ),
    ],
  ])('JWTs %s are refused', async (_name, make) => {
    const answer = await viewer(await make());
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('JWTs checked by a secret count as keys do: own completions, allowed models, limits and budgets', async () => {
    // Scope RUN alone, so that others' completions stay unseen.
    const runner = (sub: string) => token({ sub, realm: { roles: ['runner'] } });
    const [ann, bob] = [await runner('ann-2'), await runner('bob-2')];
    const run = (key: string, over = {}) =>
      app.graph(
        'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }',
        { input: sandboxInput({}, over) },
        key,
      );
    const { id } = (await run(ann)).data.complete.completion;
    const see = (key: string) =>
      app.graph('query ($id: String!) { completion(id: $id) { id } }', { id }, key);
    expect((await see(ann)).data.completion.id).toBe(id);
    expect((await see(bob)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const set = await app.graph(
      'mutation ($input: SetMemberInput!) { setMember(input: $input) { member { subject limits { requestsPerMinute } } userErrors { message } } }',
      {
        input: {
          subject: 'bob-2',
          limits: { requestsPerMinute: 1 },
          allowedModels: ['sandbox/sandbox-text'],
        },
      },
    );
    expect(set.data.setMember.member).toEqual({ subject: 'bob-2', limits: { requestsPerMinute: 1 } });
    expect((await run(bob)).errors).toBeUndefined();
    expect((await run(bob)).errors?.[0]?.extensions.code).toBe('RATE_LIMITED');
    expect((await run(bob, { model: 'sandbox/sandbox-tools' })).errors?.[0]?.extensions.code).toBe(
      'FORBIDDEN',
    );
    const listed = await app.graph('{ members { subject allowedModels } }');
    expect(listed.data.members).toEqual([{ subject: 'bob-2', allowedModels: ['sandbox/sandbox-text'] }]);
  });
});

describe('JWTs by published keys', () => {
  const published = async (alg: string) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${alg}`;
    return {
      privateKey,
      publicKey,
      kid,
      alg,
      jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    };
  };
  /** The issuer, which can go away and come back. */
  const issuer = async (keys: readonly object[]) => {
    let up = true;
    const server = createServer((_request, response) => {
      if (!up) {
        response.writeHead(503).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
      goAway: () => (up = false),
      comeBack: () => (up = true),
    };
  };
  const start = (JWKS_URL: string, over: Record<string, string> = {}) =>
    startTestApp('embedded', {
      environment: { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWKS_URL, ...over },
    });
  const status = async (app: TestApp, token: string) =>
    (await app.graph('{ viewer { caller } }', {}, token)).status;

  test('JWTs checked by published keys are taken by the algorithms that are configured; a public key is no secret', async () => {
    const [rsa, ec, ps] = [await published('RS256'), await published('ES256'), await published('PS256')];
    const { url } = await issuer([rsa.jwk, ec.jwk, ps.jwk]);
    const app = await start(url);
    const by = (key: typeof rsa) => signed(claims(), key.privateKey, { alg: key.alg, kid: key.kid });
    expect(await status(app, await by(rsa))).toBe(200);
    expect(await status(app, await by(ec))).toBe(200);
    expect(await status(app, await by(ps))).toBe(401);
    const confused = await signed(claims(), new TextEncoder().encode(await exportSPKI(rsa.publicKey)), {
      alg: 'HS256',
      kid: rsa.kid,
    });
    expect(await status(app, confused)).toBe(401);
    const stranger = await published('RS256');
    expect(await status(app, await by(stranger))).toBe(401);
  });

  test('JWTs that cannot be checked now are no 401: the issuer is away, and a token seen before stays good', async () => {
    const rsa = await published('RS256');
    const { url, goAway, comeBack } = await issuer([rsa.jwk]);
    const app = await start(url);
    const token = (sub: string) => signed(claims({ sub }), rsa.privateKey, { alg: 'RS256', kid: rsa.kid });
    goAway();
    const away = await app.graph('{ viewer { caller } }', {}, await token('early'));
    expect([away.status, away.errors?.[0]?.extensions.code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
    expect(away.errors?.[0]?.extensions.retryAfterMs).toBeGreaterThan(0);
    comeBack();
    const known = await token('known');
    expect(await status(app, known)).toBe(200);
    goAway();
    expect(await status(app, known)).toBe(200);
  });

  test('JWTs that expire close their sockets', async () => {
    const rsa = await published('RS256');
    const { url } = await issuer([rsa.jwk]);
    const app = await start(url);
    const token = await signed(
      claims(),
      rsa.privateKey,
      { alg: 'RS256', kid: rsa.kid },
      { exp: Math.ceil(Date.now() / 1_000) + 1 },
    );
    const { default: WebSocket } = await import('ws');
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const code = new Promise<number>((resolve) => socket.on('close', resolve));
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    );
    expect(await code).toBe(4403);
  });
});

describe('failed sign-ins', () => {
  const badFrom = (app: TestApp, forwarded: string, key = 'mg_wrong') =>
    fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
        'x-forwarded-for': forwarded,
      },
      body: '{"query":"{ viewer { caller } }"}',
    });

  test('failed sign-ins are limited per address as the proxy tells it; a good key is taken all the same', async () => {
    const app = await startTestApp('embedded', {
      environment: { TRUST_PROXY: '1', SIGN_IN_FAILURES_PER_MINUTE: '3' },
    });
    const statuses = async (address: string, count: number) => {
      const seen: number[] = [];
      for (let index = 0; index < count; index += 1) seen.push((await badFrom(app, address)).status);
      return seen;
    };
    expect(await statuses('203.0.113.7', 5)).toEqual([401, 401, 401, 429, 429]);
    const refused = await badFrom(app, '203.0.113.7');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(((await refused.json()) as any).errors[0].extensions.code).toBe('RATE_LIMITED');
    expect((await badFrom(app, '203.0.113.7', app.adminKey)).status).toBe(200);
    expect(await statuses('203.0.113.8', 1)).toEqual([401]);
  });

  test('failed sign-ins from an address do not keep new tokens from it out', async () => {
    const app = await startTestApp('embedded', {
      environment: {
        SIGN_IN_FAILURES_PER_MINUTE: '2',
        JWT_ISSUER: ISSUER,
        JWT_AUDIENCE: AUDIENCE,
        JWT_SECRET: SECRET,
      },
    });
    for (let failure = 0; failure < 5; failure += 1) await badFrom(app, '203.0.113.1');
    expect((await badFrom(app, '203.0.113.1', await bySecret({}, {}, `other-${SECRET}`))).status).toBe(429);
    expect((await badFrom(app, '203.0.113.1', await bySecret({ sub: 'new' }))).status).toBe(200);
  });

  test('failed sign-ins behind a proxy that is not trusted are warned of in the log, once', async () => {
    const lines: string[] = [];
    const app = await startTestApp('embedded', {
      environment: { LOG_LEVEL: 'warn' },
      overrides: { logDestination: { write: (line) => lines.push(line) } },
    });
    await badFrom(app, '203.0.113.1', app.adminKey);
    await badFrom(app, '203.0.113.2', app.adminKey);
    expect(lines.filter((line) => line.includes('TRUST_PROXY'))).toHaveLength(1);
  });

  test('failed sign-ins are counted for the address of the connection where no proxy is trusted', async () => {
    const app = await startTestApp('embedded', { environment: { SIGN_IN_FAILURES_PER_MINUTE: '2' } });
    const seen = [];
    for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.3'])
      seen.push((await badFrom(app, address)).status);
    expect(seen).toEqual([401, 401, 429]);
  });
});

test('what is lacking or wrong in the settings of JWTs is named', () => {
  const base = { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_SECRET: SECRET };
  expect(() => readConfig({ JWT_ISSUER: ISSUER })).toThrow(/JWKS_URL, JWT_SECRET: one of them/);
  expect(() => readConfig({ ...base, JWKS_URL: 'https://x.test/jwks' })).toThrow(/set only one/);
  expect(() => readConfig({ ...base, JWT_AUDIENCE: '' })).toThrow(/JWT_ISSUER, JWT_AUDIENCE/);
  expect(() => readConfig({ ...base, JWT_ALGORITHMS: 'RS256' })).toThrow(/JWT_ALGORITHMS: "RS256"/);
  expect(() => readConfig({ ...base, JWT_ROLES: 'boss=god' })).toThrow(/JWT_ROLES: "boss=god"/);
  expect(() => readConfig({ ...base, JWT_SECRET: 'short' })).toThrow(/JWT_SECRET: must have at least 32/);
  expect(readConfig(base).jwt?.algorithms).toEqual(['HS256']);
});
