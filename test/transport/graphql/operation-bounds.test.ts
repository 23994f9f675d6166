import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { measureOperation } from '../../../src/graphql/operation-cost.ts';
import { buildGraphSchema } from '../../../src/graphql/schema.ts';
import { post, startTestApp, type TestApp } from '../../support/app.ts';
import { collect, openSocket, openSse } from '../../support/run-calls.ts';

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
const schema = buildGraphSchema();
const measure = (text: string, variables = {}) =>
  measureOperation({ schema, document: parse(text), variables });

describe('measure of operations', () => {
  test('the measure of an operation counts levels, aliases, and fields as often as the lists above them are long at most', () => {
    expect(measure('{ viewer { caller } }')).toEqual({ depth: 2, aliases: 0, cost: 2 });
    expect(measure('{ a: viewer { b: caller } c: viewer { caller } }')).toEqual({
      depth: 2,
      aliases: 3,
      cost: 4,
    });
    const listed = '{ modelSpecs(first: 10) { nodes { id instances(first: 5) { nodes { slug } } } } }';
    // modelSpecs, and ten times: nodes, id, instances, and five times each: nodes, slug.
    expect(measure(listed)).toEqual({ depth: 5, aliases: 0, cost: 1 + 10 * (2 + 1 + 5 * 2) });
    const byVariable = 'query ($n: Int) { modelSpecs(first: $n) { nodes { id } } }';
    expect(measure(byVariable, { n: 50 }).cost).toBe(101);
    expect(measure(byVariable, { n: 'nonsense' }).cost).toBe(201);
    expect(measure('{ modelSpecs { nodes { id } } }').cost).toBe(41);
    expect(measure('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['a', 'b', 'c'] }).cost).toBe(
      4,
    );
  });

  test.each<[string, string, number, Record<string, unknown>?]>([
    ['the default of a variable', 'query ($n: Int = 100) { modelSpecs(first: $n) { nodes { id } } }', 201],
    [
      'a variable that is null, its default not being used',
      'query ($n: Int = 100) { modelSpecs(first: $n) { nodes { id } } }',
      41,
      { n: null },
    ],
    ['the default of a list of ids', 'query ($ids: [ID!]! = ["a", "b", "c"]) { nodes(ids: $ids) { id } }', 4],
    ['the greater of two lengths', '{ modelSpecs(first: null, last: 100) { nodes { id } } }', 201],
    ['a connection whose nodes stand in an inline fragment', '{ modelSpecs { ... { nodes { id } } } }', 41],
    [
      'a connection whose nodes stand in a fragment',
      '{ modelSpecs { ...Page } } fragment Page on ModelSpecConnection { nodes { id } }',
      41,
    ],
    [
      'connections within fragments',
      '{ modelSpecs { ... { nodes { instances { ... { nodes { slug } } } } } } }',
      1 + 20 * (1 + 1 + 20 * 2),
    ],
  ])('the measure of an operation counts %s', (_what, text, cost, variables = {}) => {
    expect(measure(text, variables).cost).toBe(cost);
  });

  test('the measure of an operation takes a bomb of fragments for what it would come to, in no time', () => {
    const levels = Array.from(
      { length: 60 },
      (_value, n) => `fragment F${n} on ModelSpec { id ${n > 0 ? `...F${n - 1} ...F${n - 1}` : ''} }`,
    );
    const { cost } = measure(`{ modelSpec(id: "x") { ...F59 } } ${levels.join('\n')}`);
    expect(cost).toBeGreaterThan(2 ** 59);
  });
});

describe('bounds on operations', () => {
  let app: TestApp;
  const known = '{ viewer { caller } }';
  let manifest: string;

  beforeAll(async () => {
    manifest = join(tmpdir(), `operations-${process.pid}.json`);
    writeFileSync(manifest, JSON.stringify({ [digestOf(known)]: known }));
    app = await startTestApp('embedded', {
      environment: {
        MAX_QUERY_DEPTH: '6',
        MAX_QUERY_ALIASES: '3',
        MAX_QUERY_COST: '500',
        MAX_QUERY_TOKENS: '300',
        PERSISTED_OPERATIONS: manifest,
        CORS_ORIGINS: 'https://app.example',
      },
    });
  });

  const tooMuch = [
    [
      'levels',
      '{ modelSpecs(first: 1) { nodes { instances(first: 1) { nodes { config { provider { key } } } } } } }',
    ],
    ['aliases', '{ a: viewer { caller } b: viewer { caller } c: viewer { caller } d: viewer { caller } }'],
    ['fields', '{ modelSpecs(first: 100) { nodes { instances(first: 100) { nodes { slug } } } } }'],
  ] as const;

  test.each(tooMuch)(
    'an operation with too many %s is refused at every door, with what it would cost',
    async (_name, query) => {
      const over = await app.graph(query);
      expect(over.errors?.[0]?.extensions).toMatchObject({
        code: 'QUERY_TOO_COMPLEX',
        cost: expect.any(Number),
      });
      await using socket = openSocket(app, app.adminKey);
      const viaSocket = await collect(socket.client.iterate({ query })).catch((errors: unknown) => errors);
      expect(JSON.stringify(viaSocket)).toContain('QUERY_TOO_COMPLEX');
      const { response } = await openSse(app, app.adminKey, { query });
      expect(await response.text()).toContain('QUERY_TOO_COMPLEX');
    },
  );

  test('an operation with too long a text is refused', async () => {
    const { errors } = await app.graph(`{ viewer { ${'caller '.repeat(400)} } }`);
    expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_PARSE_FAILED');
  });

  test('several operations in one request are refused, unless that is switched on', async () => {
    const answer = await post<unknown>(
      `${app.url}/graphql`,
      [{ query: known }, { query: known }],
      app.adminKey,
    );
    expect(answer.status).toBe(400);
  });

  test('a persisted operation is executed by its digest, at every door', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: digestOf(known) } };
    const byDigest = await post<any>(`${app.url}/graphql`, { extensions }, app.adminKey);
    expect(byDigest.data.viewer.caller).toMatch(/^key:/);
    await using socket = openSocket(app, app.adminKey);
    const results: any[] = await collect(socket.client.iterate({ query: '', extensions }));
    expect(results[0].data.viewer.caller).toMatch(/^key:/);
    const unknown = await post<any>(
      `${app.url}/graphql`,
      { extensions: { persistedQuery: { version: 1, sha256Hash: digestOf('x') } } },
      app.adminKey,
    );
    expect(unknown.errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  test('pages of allowed origins only are answered', async () => {
    const preflight = (origin: string) =>
      fetch(`${app.url}/graphql`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const allowed = await preflight('https://app.example');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('a simple request of a page without a credential, which no browser asks about first, is refused', async () => {
    const response = await fetch(`${app.url}/graphql?query=%7B__typename%7D`);
    expect(response.status).toBe(401);
  });

  test('only registered operations pass where the operator says so, and no names of the schema are told in production', async () => {
    const strict = await startTestApp('embedded', {
      environment: { PERSISTED_OPERATIONS: manifest, PERSISTED_ONLY: 'on' },
    });
    expect((await strict.graph(known)).data.viewer.caller).toMatch(/^key:/);
    const other = await strict.graph('{ viewer { workspaceId } }');
    expect(other.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const production = await startTestApp('embedded', { environment: { NODE_ENV: 'production' } });
    const misspelt = await production.graph('{ viewer { caler } }');
    expect(misspelt.errors?.[0]?.message).not.toContain('caller');
    await using socket = openSocket(production, production.adminKey);
    const viaSocket = await collect(socket.client.iterate({ query: '{ viewer { caler } }' })).catch(
      (errors) => errors,
    );
    expect(JSON.stringify(viaSocket)).not.toContain('caller');
    const introspected = await production.graph('{ __schema { types { name } } }');
    expect(introspected.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test.each([
    [{ PERSISTED_ONLY: 'on' }, 'PERSISTED_ONLY'],
    [{ PERSISTED_OPERATIONS: './nowhere.json' }, 'could not be read'],
  ])('a bad setting %o of the bounds stops the start', async (environment, words) => {
    await expect(startTestApp('embedded', { environment })).rejects.toThrow(words);
  });
});
