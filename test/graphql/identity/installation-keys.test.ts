import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { createDatabase, describeEachDatabase } from '../../support/databases.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-characters';
const JWT = { JWT_ISSUER: 'https://login.test/', JWT_AUDIENCE: 'modelgraph', JWT_SECRET: SECRET };

const token = (roles: string[], sub = 'ann', workspace = 'default') =>
  new SignJWT({ sub, workspace, roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(JWT.JWT_ISSUER)
    .setAudience(JWT.JWT_AUDIENCE)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));

describeEachDatabase('keys that administer the installation', (kind) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp(kind, { environment: JWT });
  });
  const keyOf = async (scopes: string[]) => {
    const { data } = await app.graph(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }',
      { input: { name: 'Key', scopes } },
    );
    return { id: data.createApiKey.apiKey.id as string, secret: data.createApiKey.secret as string };
  };
  const codeOf = async (name: string, input: object, key: string) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const { data, errors } = await app.graph(
      `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { code } } }`,
      { input },
      key,
    );
    return errors?.[0]?.extensions.code ?? data[name].userErrors[0]?.code ?? 'done';
  };

  test('keys that administer the installation are made, widened, lengthened, rotated and revoked by such keys only, not by an administrator by token', async () => {
    const byToken = await token(['admin']);
    const admin = await keyOf(['ADMIN']);
    const plain = await keyOf(['RUN']);
    const attempts = [
      ['createApiKey', { name: 'Mine', scopes: ['ADMIN'] }],
      ['updateApiKey', { id: plain.id, scopes: ['RUN', 'ADMIN'] }],
      ['updateApiKey', { id: admin.id, expiresAt: '2099-01-01T00:00:00Z' }],
      ['updateApiKey', { id: admin.id, scopes: ['RUN'] }],
      ['rotateApiKey', { id: admin.id }],
      ['revokeApiKey', { id: admin.id }],
    ] as const;
    for (const [name, input] of attempts) {
      expect([name, await codeOf(name, input, byToken)]).toEqual([name, 'FORBIDDEN']);
    }
    const { data } = await app.graph('{ viewer { installationAdmin } }', {}, admin.secret);
    expect(data.viewer.installationAdmin).toBe(true);
    // Other keys of the workspace are an administrator's business, whoever that is.
    expect(await codeOf('createApiKey', { name: 'Mine', scopes: ['RUN', 'CATALOGUE'] }, byToken)).toBe(
      'done',
    );
    expect(await codeOf('revokeApiKey', { id: plain.id }, byToken)).toBe('done');
    expect(await codeOf('revokeApiKey', { id: admin.id }, app.adminKey)).toBe('done');
  });

  test('keys of another workspace than "default" are made by administrators by token, since they administer that workspace only', async () => {
    const { slug } = await app.createWorkspace();
    const byToken = await token(['admin'], 'bob', slug);
    expect(await codeOf('createApiKey', { name: 'Mine', scopes: ['ADMIN'] }, byToken)).toBe('done');
  });

  test('keys of the installation, workspaces and members are changed by several at once without an internal error', async () => {
    const { id, key } = await app.createWorkspace();
    const names = [1, 2, 3, 4].map((n) => `Name ${n}`);
    const changed = names.map((displayName) => codeOf('updateWorkspace', { id, displayName }, key));
    expect(await Promise.all(changed)).toEqual(['done', 'done', 'done', 'done']);
    const set = names.map(() => codeOf('setMember', { subject: 'new-here', allowedModels: [] }, key));
    expect(await Promise.all(set)).toEqual(['done', 'done', 'done', 'done']);
  });

  test.each([
    ['U+0000', 'ann\u0000'],
    ['half a surrogate pair', 'ann\ud800'],
  ])(
    'a token whose subject holds %s asks for no key of the installation: it signs nobody in',
    async (_what, sub) => {
      const { errors } = await app.graph('{ viewer { caller } }', {}, await token(['run'], sub));
      expect(errors?.[0]).toMatchObject({
        message: expect.stringContaining('"sub"'),
        extensions: { code: 'UNAUTHENTICATED' },
      });
    },
  );
});

describeEachDatabase("the first administrator's key", (kind) => {
  test("the first administrator's key stays revoked, or rotated twice, at the next start, which tells the operator so", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'modelgraph-bootstrap-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const database = { ...(await createDatabase(kind)), dataDir };
    onTestFinished(() => database.drop());
    const lines: string[] = [];
    const start = (key: string) =>
      startTestApp(kind, {
        database,
        environment: { BOOTSTRAP_API_KEY: key, LOG_LEVEL: 'warn' },
        overrides: { logDestination: { write: (line: string) => void lines.push(line) } },
      });
    const ids = '{ apiKeys { id name revokedAt } }';
    const own = async (app: TestApp) => (await app.graph(ids)).data.apiKeys.at(-1).id as string;
    const rotate = 'mutation ($id: ID!) { rotateApiKey(input: {id: $id, overlapSeconds: 0}) { secret } }';
    const [one, two] = ['mg_bootstrap-number-one-0123', 'mg_bootstrap-number-two-0123'];

    const first = await start(one);
    const id = await own(first);
    const once = (await first.graph(rotate, { id })).data.rotateApiKey.secret;
    await first.graph(rotate, { id }, once);
    await first.close();
    const again = await start(one);
    expect((await again.graph('{ viewer { caller } }')).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await again.close();
    expect(lines.join('')).toContain('BOOTSTRAP_API_KEY');

    const second = await start(two);
    await second.graph('mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } } }', {
      id: await own(second),
    });
    await second.close();
    const after = await start(two);
    expect((await after.graph('{ viewer { caller } }')).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await after.close();
  }, 60_000);
});
