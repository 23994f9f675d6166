import { beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { plainSql } from '../../support/ledger.ts';
import { openSse, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';
import { describeTwoNodes, startTwoNodes, type TwoNodes } from '../../support/two-nodes.ts';

const KEY_FIELDS =
  'id name prefix scopes allowedModels limits { requestsPerMinute } expiresAt revokedAt rotatedAt lastUsedAt';

async function workspaceWithSandbox(app: TestApp) {
  const workspace = await app.createWorkspace();
  const ask = async (query: string, variables: object = {}, key = workspace.key) => {
    const { data, errors } = await app.graph(query, variables as Record<string, unknown>, key);
    if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
    return data;
  };
  await ask(
    'mutation { createProviderConfig(input: {name: "Sandbox", providerKey: "sandbox"}) { providerConfig { id } } }',
  );
  const createKey = async (over: object = {}) => {
    const { createApiKey } = await ask(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { ${KEY_FIELDS} } userErrors { field } } }`,
      { input: { name: 'Key', scopes: ['RUN'], ...over } },
    );
    return createApiKey;
  };
  return { ...workspace, ask, createKey };
}

/** A raw graphql-ws socket that was taken, and how it was closed. */
async function openRaw(
  app: TestApp,
  authorization: string | undefined,
  headers: Record<string, string> = {},
) {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    headers,
  });
  const closed = new Promise<{ code: number; reason: string; atMs: number }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason), atMs: performance.now() })),
  );
  const messages: any[] = [];
  const acknowledged = new Promise<void>((resolve) =>
    socket.on('message', (bytes) => {
      const message = JSON.parse(String(bytes));
      messages.push(message);
      if (message.type === 'connection_ack') resolve();
    }),
  );
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(
    JSON.stringify({
      type: 'connection_init',
      payload: authorization === undefined ? {} : { authorization },
    }),
  );
  await Promise.race([acknowledged, closed]);
  return { socket, closed, messages };
}

describeEachDatabase('API keys', (kind) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
  });

  test('API keys are shown once, kept as a digest, and told apart by how they begin', async () => {
    const { ask, createKey } = await workspaceWithSandbox(app);
    const { secret, apiKey } = await createKey();
    expect(secret).toMatch(/^mg_[\w-]{43}$/);
    expect(secret.startsWith(apiKey.prefix)).toBe(true);
    const { apiKeys } = await ask('{ apiKeys { id prefix } }');
    expect(JSON.stringify(apiKeys)).not.toContain(secret);
    if (app.database.url) {
      const [row] = await plainSql(app.database.url, 'select * from api_key where prefix = $1', [
        apiKey.prefix,
      ]);
      expect(JSON.stringify(row)).not.toContain(secret);
      expect(row.hash).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('API keys are refused for each thing that is wrong with them, with its field', async () => {
    const { createKey } = await workspaceWithSandbox(app);
    const refused = async (over: object) =>
      (await createKey(over)).userErrors.map(({ field }: { field: string[] }) => field.join('.'));
    expect(await refused({ name: ' ' })).toEqual(['name']);
    expect(await refused({ scopes: [] })).toEqual(['scopes']);
    expect(await refused({ expiresAt: '2001-01-01T00:00:00Z' })).toEqual(['expiresAt']);
    expect(await refused({ limits: { requestsPerMinute: 0 } })).toEqual(['limits.requestsPerMinute']);
    expect(await refused({ allowedModels: ['ok', 'not ok', 'openai/*', 'tag:x'] })).toEqual([
      'allowedModels.1',
    ]);
  });

  test('API keys may use the models that they allow, by slug, model, tag or provider, and no others', async () => {
    const { ask, createKey } = await workspaceWithSandbox(app);
    const run = (key: string, model: string) =>
      ask(
        'mutation ($input: CompletionInput!) { complete(input: $input) { completion { status } } }',
        { input: sandboxInput({}, { model }) },
        key,
      ).then(
        ({ complete }) => complete.completion.status,
        ({ code }) => code,
      );
    const slug = (await ask('{ modelInstances { nodes { slug } } }')).modelInstances.nodes[0].slug;
    const cases: [string[], string, string][] = [
      [['sandbox/*'], 'sandbox/sandbox-text', 'FINISHED'],
      [['sandbox/sandbox-tools'], 'sandbox/sandbox-text', 'FORBIDDEN'],
      [['sandbox/sandbox-text'], slug, 'FINISHED'],
      [[slug], 'auto', 'FINISHED'],
      [['tag:nothing'], 'auto', 'FORBIDDEN'],
      [['openai/*'], slug, 'FORBIDDEN'],
    ];
    for (const [allowedModels, model, expected] of cases) {
      const { secret } = await createKey({ allowedModels });
      expect([allowedModels, model, await run(secret, model)]).toEqual([allowedModels, model, expected]);
    }
    const { secret } = await createKey({ allowedModels: ['openai/*'], scopes: ['RUN', 'READ'] });
    const { modelInstances } = await ask(
      '{ modelInstances { nodes { availability { state code } } } }',
      {},
      secret,
    );
    expect(modelInstances.nodes[0].availability).toEqual({ state: 'UNAVAILABLE', code: 'NOT_ALLOWED' });
    const { routePlan } = await ask(
      'query ($input: CompletionInput!) { routePlan(input: $input) { candidates { place code } } }',
      { input: sandboxInput({}, { model: 'auto' }) },
      secret,
    );
    expect(routePlan.candidates).toEqual([{ place: null, code: 'NOT_ALLOWED' }]);
    expect((await ask('{ viewer { allowedModels } }', {}, secret)).viewer.allowedModels).toEqual([
      'openai/*',
    ]);
  });

  test('API keys that are rotated get a new text and stay what they are; the old text is good for a while', async () => {
    const { ask, createKey } = await workspaceWithSandbox(app);
    const { secret, apiKey } = await createKey();
    const rotate = (overlapSeconds?: number) =>
      ask(
        'mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret apiKey { id rotatedAt previousExpiresAt } } }',
        {
          input: { id: apiKey.id, overlapSeconds },
        },
      );
    const caller = async (key: string) => (await ask('{ viewer { caller } }', {}, key)).viewer.caller;
    const before = await caller(secret);
    const { rotateApiKey: first } = await rotate(60);
    expect(first.apiKey.id).toBe(apiKey.id);
    expect(Date.parse(first.apiKey.previousExpiresAt) - Date.parse(first.apiKey.rotatedAt)).toBe(60_000);
    expect([await caller(secret), await caller(first.secret)]).toEqual([before, before]);
    const { rotateApiKey: second } = await rotate(0);
    expect(await caller(second.secret)).toBe(before);
    await expect(caller(first.secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(caller(secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('API keys expire by themselves, are changed in place, and say when they were last used', async () => {
    const { ask, createKey } = await workspaceWithSandbox(app);
    const { secret, apiKey } = await createKey({ expiresAt: new Date(Date.now() + 700).toISOString() });
    const update = (input: object) =>
      ask(
        `mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { ${KEY_FIELDS} } } }`,
        {
          input: { id: apiKey.id, ...input },
        },
      );
    await ask('{ viewer { caller } }', {}, secret);
    const raw = await openRaw(app, `Bearer ${secret}`);
    expect(raw.messages[0]?.type).toBe('connection_ack');
    const { code, reason } = await raw.closed;
    expect([code, reason]).toEqual([4403, 'This API key has expired']);
    await expect(ask('{ viewer { caller } }', {}, secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const { updateApiKey } = await update({
      expiresAt: null,
      name: 'Revived',
      scopes: ['READ'],
      limits: { requestsPerMinute: 7 },
    });
    expect(updateApiKey.apiKey).toMatchObject({
      name: 'Revived',
      scopes: ['READ'],
      expiresAt: null,
      limits: { requestsPerMinute: 7 },
    });
    expect((await ask('{ viewer { scopes } }', {}, secret)).viewer.scopes).toEqual(['READ']);
  });

  test('nobody is let in without an API key, at any door', async () => {
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer wrong',
      `Bearer ${'x'.repeat(20_000)}`.slice(0, 15_000),
    ]) {
      for (const path of ['/graphql', '/graphql/stream']) {
        const response = await fetch(`${app.url}${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(authorization === undefined ? {} : { authorization }),
          },
          body: '{"query":"{ viewer { caller } }"}',
        });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
        expect(((await response.json()) as any).errors[0].extensions.code).toBe('UNAUTHENTICATED');
      }
      const raw = await openRaw(app, authorization);
      expect((await raw.closed).code).toBe(4401);
    }
  });
});

describeTwoNodes('a key that is revoked', () => {
  let nodes: TwoNodes;
  beforeAll(async () => {
    nodes = await startTwoNodes();
  });

  test('a key that is revoked is useless on every node within a second: its sockets and streams end, its runs go on', async () => {
    const { ask, createKey } = await workspaceWithSandbox(nodes.a);
    const { secret, apiKey } = await createKey();
    const started = await ask(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      { input: sandboxInput({ tokens: 150, tokensPerSecond: 50 }) },
      secret,
    );
    const { id } = started.startCompletion.completion;
    const sockets = [await openRaw(nodes.a, `Bearer ${secret}`), await openRaw(nodes.b, secret)];
    const follow = 'subscription ($id: String!) { completionEvents(id: $id) { seq __typename } }';
    for (const { socket } of sockets) {
      socket.send(
        JSON.stringify({
          id: crypto.randomUUID(),
          type: 'subscribe',
          payload: { query: follow, variables: { id } },
        }),
      );
    }
    const sse = await openSse(nodes.b, secret, { query: follow, variables: { id } });
    const sseEnded = (async () => {
      let last = '';
      for await (const { event } of sse.events) last = event;
      return last;
    })();
    const revokedAt = performance.now();
    await ask('mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { revokedAt } } }', {
      id: apiKey.id,
    });
    for (const { closed } of sockets) {
      const { code, atMs } = await closed;
      expect(code).toBe(4403);
      expect(atMs - revokedAt).toBeLessThan(1_500);
    }
    // Without `complete`: the client comes back, and is told then.
    expect(await sseEnded).toBe('next');
    for (const node of [nodes.a, nodes.b]) {
      expect((await node.graph('{ viewer { caller } }', {}, secret)).status).toBe(401);
    }
    await expect
      .poll(
        async () =>
          (await ask('query ($id: String!) { completion(id: $id) { status } }', { id })).completion.status,
        { timeout: 8_000 },
      )
      .toBe('FINISHED');
  });

  test('a key that is revoked was good on another node a moment after it was made, and tells there when it was last used', async () => {
    const { ask, createKey } = await workspaceWithSandbox(nodes.a);
    const { secret, apiKey } = await createKey();
    await expect
      .poll(async () => (await nodes.b.graph('{ viewer { caller } }', {}, secret)).status)
      .toBe(200);
    await expect
      .poll(
        async () =>
          (await ask('{ apiKeys { id lastUsedAt } }')).apiKeys.find(
            ({ id }: { id: string }) => id === apiKey.id,
          ).lastUsedAt,
        { timeout: 14_000, interval: 250 },
      )
      .not.toBeNull();
  }, 20_000);
});
