import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { collect, openSocket, openSse, sandboxInput } from '../../support/run-calls.ts';

const SECRET = 'sk-not-to-be-told';
const CREATE =
  'mutation ($i: CreateProviderConfigInput!) { createProviderConfig(input: $i) { userErrors { message } } }';
const STREAM = 'subscription ($i: CompletionInput!) { streamCompletion(input: $i) { seq } }';

describe('errors about an input', () => {
  let app: TestApp;
  let production: TestApp;
  beforeAll(async () => {
    app = await startTestApp('postgresql');
    production = await startTestApp('postgresql', { environment: { NODE_ENV: 'production' } });
  });

  /** The errors that each door gives for the operation. */
  const atEveryDoor = async (to: TestApp, query: string, variables: Record<string, unknown>) => {
    const { errors } = await to.graph(query, variables);
    const { response } = await openSse(to, to.adminKey, { query, variables });
    const bySse = await response.text();
    await using socket = openSocket(to, to.adminKey);
    const bySocket = await collect(socket.client.iterate({ query, variables })).catch((raised) => raised);
    return { errors, texts: [JSON.stringify(errors), bySse, JSON.stringify(bySocket)] };
  };

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a field that is missing',
      { providerKey: 'x', secret: SECRET },
      'i"; Field "name" of required type "String!" was not provided.',
    ],
    [
      'a text that is a list',
      { name: 'x', providerKey: 'x', secret: [SECRET] },
      'i.secret"; String cannot represent a non string value.',
    ],
    [
      'a field that is unknown',
      { name: 'x', providerKey: 'x', secret: SECRET, Name: 1 },
      'i"; Field "Name" is not defined by type "CreateProviderConfigInput". Did you mean "name"?',
    ],
    [
      'a list instead of an object',
      [SECRET] as never,
      'i"; Expected type "CreateProviderConfigInput" to be an object.',
    ],
  ])(
    'an error about an input names the place and the reason, and not the value, for %s',
    async (_what, i, words) => {
      const { errors } = await app.graph(CREATE, { i });
      expect(errors).toHaveLength(1);
      expect(errors?.[0]).toMatchObject({
        message: `Variable "$i" got an invalid value at "${words}`,
        extensions: { code: 'BAD_USER_INPUT' },
      });
      expect(JSON.stringify(errors)).not.toContain(SECRET);
    },
  );

  test.each([
    ['a text', `secret: ["${SECRET}"]`, 'String cannot represent a non string value.'],
    ['an object', `settings: "${SECRET}"`, 'JSONObject must be a JSON object'],
  ])('an error about an input in a document does not repeat %s either', async (_what, field, words) => {
    const { errors } = await app.graph(
      `mutation { createProviderConfig(input: {name: "x", providerKey: "x", ${field}}) { userErrors { message } } }`,
    );
    expect(errors?.[0]?.message).toContain(words);
    expect(JSON.stringify(errors)).not.toContain(SECRET);
  });

  test('an error about the syntax of a document repeats no text of it', async () => {
    const { errors } = await app.graph(
      `mutation { createProviderConfig("${SECRET}") { userErrors { message } } }`,
    );
    expect(errors?.[0]?.message).toBe('Syntax Error: Expected Name, found String.');
  });

  test('errors about an input are one at every door, and short, however many faults there are', async () => {
    const input = { ...sandboxInput(), messages: [{ role: 'USER', text: SECRET }] };
    const unknown = Object.fromEntries(Array.from({ length: 4_900 }, (_value, n) => [`unknown${n}`, n]));
    const { errors, texts } = await atEveryDoor(app, STREAM, { i: { ...input, ...unknown } });
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST');
    const [, bySse, bySocket] = texts;
    for (const text of [bySse, bySocket]) {
      expect(text).toContain('Field \\"unknown0\\" is not defined by type \\"CompletionInput\\"');
      expect(text).toContain('BAD_USER_INPUT');
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('Too many errors');
      expect(text?.length).toBeLessThan(1_000);
    }
  });

  test('errors about an input suggest no names of the schema in production', async () => {
    const wrong = { ...sandboxInput(), messages: [{ role: 'USR', text: 'x' }] };
    expect((await atEveryDoor(app, STREAM, { i: wrong })).texts[1]).toContain('Did you mean');
    const { texts } = await atEveryDoor(production, STREAM, { i: wrong });
    for (const text of texts) expect(text).not.toContain('Did you mean');
    const misspelt = await production.graph('{ viewer { caler } }');
    expect(misspelt.errors?.[0]?.message).toBe('Cannot query field "caler" on type "Viewer".');
  });

  test('errors about an input tell nothing of the HTTP that they travel in', async () => {
    const deep = `{ viewer { ${'a { '.repeat(600)}b${' }'.repeat(600)} } }`;
    const { texts } = await atEveryDoor(app, deep, {});
    for (const text of texts) expect(text).not.toContain('"http"');
  });

  test('errors about an input refuse documents that are too long at every door', async () => {
    const { texts } = await atEveryDoor(app, `{ viewer { caller } } # ${'x'.repeat(100_000)}`, {});
    for (const text of texts) {
      expect(text).toContain(
        'the document has 100024 characters, of at most 100000; send long texts as variables',
      );
      expect(text).toContain('GRAPHQL_PARSE_FAILED');
    }
  });

  test('errors about an input name the doors for a subscription that is sent by POST, to clients of every kind', async () => {
    for (const accept of [
      'application/json',
      'application/graphql-response+json, application/json',
      'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json',
    ]) {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${app.adminKey}` },
        body: JSON.stringify({ query: STREAM, variables: { i: sandboxInput() } }),
      });
      expect(response.status).toBe(400);
      expect(((await response.json()) as any).errors[0]).toMatchObject({
        message:
          'Subscriptions are not answered by this address: subscribe by POST /graphql/stream (server-sent events) or by a WebSocket to /graphql (graphql-transport-ws)',
        extensions: { code: 'BAD_REQUEST' },
      });
    }
  });

  test('errors about an input come before anything is executed where the client could not read the answer', async () => {
    const slug = `unread-${Date.now()}`;
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${app.adminKey}`,
      },
      body: JSON.stringify({
        query: `mutation { createWorkspace(input: {slug: "${slug}"}) { workspace { id } } }`,
      }),
    });
    expect([response.status, await response.text()]).toEqual([
      406,
      expect.stringContaining('/graphql/stream'),
    ]);
    expect(JSON.stringify((await app.graph('{ workspaces { slug } }')).data)).not.toContain(slug);
  });
});
