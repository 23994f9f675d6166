import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { complete, openSocket, openSse, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';
import { describeTwoNodes, startTwoNodes, type TwoNodes } from '../../support/two-nodes.ts';

const COMPLETE =
  'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id usage { totalTokens } } } }';
const STREAM =
  'subscription ($input: CompletionInput!) { streamCompletion(input: $input) { __typename seq completionId } }';

/** A workspace with the sandbox, and a key of it with limits. */
async function limited(app: TestApp, limits: object, key = app.adminKey) {
  const { id, key: adminKey } = await app.createWorkspace();
  await app.graph(
    'mutation { createProviderConfig(input: {name: "S", providerKey: "sandbox"}) { providerConfig { id } } }',
    {},
    adminKey,
  );
  const made = await app.graph(
    'mutation ($limits: CallLimitsInput) { createApiKey(input: {name: "L", scopes: [RUN], limits: $limits}) { secret apiKey { id } } }',
    { limits },
    adminKey,
  );
  return { id, adminKey, key: made.data.createApiKey.secret as string, installation: key };
}

const post = async (app: TestApp, key: string, input: object) => {
  const response = await fetch(`${app.url}${app.app.graphqlPath}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: COMPLETE, variables: { input } }),
  });
  return (await response.json()) as { data?: any; errors?: any[]; extensions?: { rateLimit: any[] } };
};

describeEachDatabase('limits', (kind) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
  });

  test('limits on completions a minute hold exactly, and tell what is left and when to come again', async () => {
    const { key } = await limited(app, { requestsPerMinute: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(app, key, sandboxInput())));
    const good = answers.filter(({ errors }) => !errors);
    expect(good.map(({ extensions }) => extensions?.rateLimit[0].remaining).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(good[0]?.extensions?.rateLimit).toMatchObject([
      { scope: 'CALLER', name: 'requestsPerMinute', limit: 5 },
    ]);
    const [bad] = answers.filter(({ errors }) => errors);
    expect(bad?.errors?.[0].extensions).toMatchObject({
      code: 'RATE_LIMITED',
      limit: 'requestsPerMinute',
      rateLimit: [{ name: 'requestsPerMinute', limit: 5, remaining: 0 }],
    });
    expect(bad?.errors?.[0].extensions.retryAfterMs).toBeGreaterThan(30_000);
    const { data } = await app.graph('{ completions { totalCount } }', {}, key);
    expect(data.completions.totalCount).toBe(5);
  });

  test('limits on tokens count what was used, not what was asked for', async () => {
    const { key } = await limited(app, { tokensPerHour: 1_000 });
    const asked = sandboxInput({ tokens: 10 }, { parameters: { maxTokens: 600 } });
    const first = await post(app, key, asked);
    expect(first.extensions?.rateLimit[0].remaining).toBeLessThan(400);
    const second = await post(app, key, asked);
    expect(second.errors).toBeUndefined();
    const used = first.data.complete.completion.usage.totalTokens;
    expect(second.extensions?.rateLimit[0].remaining).toBeGreaterThan(1_000 - used - 620 - 20);
    const tooMuch = await post(app, key, sandboxInput({}, { parameters: { maxTokens: 2_000 } }));
    expect(tooMuch.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/maxTokens/),
      extensions: { code: 'RATE_LIMITED' },
    });
  });

  test('limits on completions at once free a place when one ends, however it ends', async () => {
    const { key } = await limited(app, { concurrentRuns: 1 });
    const started = await app.graph(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      { input: sandboxInput({ tokens: 10_000, tokensPerSecond: 10 }) },
      key,
    );
    const { id } = started.data.startCompletion.completion;
    expect((await post(app, key, sandboxInput())).errors?.[0].extensions).toMatchObject({
      code: 'RATE_LIMITED',
      limit: 'concurrentRuns',
    });
    await app.graph('mutation ($id: ID!) { cancelCompletion(input: {id: $id}) { settled } }', { id }, key);
    expect((await post(app, key, sandboxInput())).errors).toBeUndefined();
  });

  test('limits of a workspace bound all its keys together, and only the installation sets them', async () => {
    const { id, adminKey, key } = await limited(app, {});
    const set = (limits: object, by?: string) =>
      app.graph(
        'mutation ($id: ID!, $limits: CallLimitsInput) { updateWorkspace(input: {id: $id, limits: $limits}) { workspace { limits { requestsPerDay } } } }',
        {
          id: Buffer.from(
            `Workspace:${id.length === 36 ? id : Buffer.from(id, 'base64url').toString().split(':')[1]}`,
          ).toString('base64url'),
          limits,
        },
        by,
      );
    expect((await set({ requestsPerDay: 9 }, adminKey)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect((await set({ requestsPerDay: 2 })).data.updateWorkspace.workspace.limits).toEqual({
      requestsPerDay: 2,
    });
    expect((await post(app, key, sandboxInput())).extensions?.rateLimit).toMatchObject([
      { scope: 'WORKSPACE', remaining: 1 },
    ]);
    expect((await post(app, adminKey, sandboxInput())).errors).toBeUndefined();
    expect((await post(app, key, sandboxInput())).errors?.[0].message).toMatch(
      /Your workspace may use 2 completions a day/,
    );
  });

  test('limits take nothing for a request that is refused, or joins a run that is there', async () => {
    const { key } = await limited(app, { requestsPerMinute: 2 });
    expect((await post(app, key, sandboxInput({}, { model: 'no-such' }))).errors?.[0].extensions.code).toBe(
      'MODEL_NOT_FOUND',
    );
    const keyed = sandboxInput({}, { idempotencyKey: 'same' });
    const [one, two] = await Promise.all([post(app, key, keyed), post(app, key, keyed)]);
    expect(one.data.complete.completion.id).toBe(two.data.complete.completion.id);
    expect((await post(app, key, sandboxInput())).extensions?.rateLimit[0].remaining).toBe(0);
    // Over the limit, its own run is still to be had.
    expect((await post(app, key, keyed)).data.complete.completion.id).toBe(one.data.complete.completion.id);
    const fresh = sandboxInput({}, { idempotencyKey: 'fresh' });
    expect((await post(app, key, fresh)).errors?.[0].extensions.code).toBe('RATE_LIMITED');
    const { data } = await app.graph('{ completions { totalCount } }', {}, key);
    expect(data.completions.totalCount).toBe(2);
  });

  test('limits that are used up refuse all requests under one idempotency key alike', async () => {
    const { key } = await limited(app, { requestsPerMinute: 1 });
    expect((await post(app, key, sandboxInput())).errors).toBeUndefined();
    const keyed = sandboxInput({}, { idempotencyKey: 'refused' });
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(app, key, keyed)));
    const codes = answers.map(({ errors }) => errors?.[0].extensions.code);
    expect(new Set(codes)).toEqual(new Set(['RATE_LIMITED']));
  });

  test('limits are told at every door', async () => {
    const { key } = await limited(app, { requestsPerMinute: 3 });
    await using socket = openSocket(app, key);
    const results: any[] = [];
    for await (const result of socket.client.iterate({
      query: STREAM,
      variables: { input: sandboxInput() },
    })) {
      results.push(result.extensions);
    }
    expect(results.filter(Boolean)).toMatchObject([{ rateLimit: [{ remaining: 2 }] }]);
    const sse = await openSse(app, key, {
      query: STREAM,
      variables: { input: sandboxInput({}, { idempotencyKey: 'x' }) },
    });
    const extensions: unknown[] = [];
    for await (const { data } of sse.events) if (data?.extensions) extensions.push(data.extensions);
    expect(extensions).toMatchObject([{ rateLimit: [{ remaining: 1 }] }]);
  });
});

describe('limits by default', () => {
  test('limits by default are none in development, 60 a minute in production, and as the operator says', async () => {
    const app = await startTestApp('embedded', {
      environment: { REQUESTS_PER_MINUTE: '2' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    const { key } = await limited(app, {});
    await post(app, key, sandboxInput());
    await post(app, key, sandboxInput());
    expect((await post(app, key, sandboxInput())).errors?.[0].extensions.code).toBe('RATE_LIMITED');
    const own = await limited(app, { requestsPerMinute: 3 });
    for (let count = 0; count < 3; count += 1)
      expect((await post(app, own.key, sandboxInput())).errors).toBeUndefined();
  });
});

describeTwoNodes('limits and money on two nodes', () => {
  let nodes: TwoNodes;
  beforeAll(async () => {
    // Nodes, proxies and callers share a process: however busy that is, Redis is not away.
    nodes = await startTwoNodes({ BILLING: 'on', REDIS_TIMEOUT_MS: '10000' });
  });

  test('limits and money on two nodes are exact however the calls are spread', async () => {
    const { key } = await limited(nodes.a, { requestsPerMinute: 20 });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        complete(index % 2 === 0 ? nodes.a : nodes.b, key, sandboxInput()),
      ),
    );
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(20);
  });
});
