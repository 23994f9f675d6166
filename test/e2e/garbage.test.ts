import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../support/app.ts';
import { catalogueCalls } from '../support/catalogue-calls.ts';
import { describeEachDatabase } from '../support/databases.ts';
import { seededRandom } from '../support/random.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';

const schema = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));
const HOSTILE = [
  "'; drop table workspace; --",
  '" or 1=1 --',
  '<script>alert(1)</script>',
  '$(7*7) {{7*7}} %s %n \\x00',
  '../../etc/passwd',
  'a\u0000b',
  '\ud800 half',
  '\u202eright to left\u202c',
  '😀'.repeat(50),
  'x'.repeat(20_000),
  '__proto__',
  'constructor',
  'null',
  '',
  ' ',
  '\n\r\t',
  '-1',
  '1e999',
  'NaN',
];
/** What a client may be told of garbage: never that something of ours broke. */
const TYPED =
  /^(BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED|GRAPHQL_PARSE_FAILED|NOT_FOUND|CONFLICT|QUERY_TOO_COMPLEX|BAD_REQUEST|MODEL_NOT_FOUND|MODEL_UNAVAILABLE|CAPABILITY_MISSING|CONTEXT_LENGTH_EXCEEDED|PROVIDER_[A-Z_]+|RATE_LIMITED|FORBIDDEN|OPERATION_RESOLUTION_FAILURE|PERSISTED_QUERY_[A-Z_]+|UNAUTHENTICATED)$/;

describeEachDatabase('garbage', (kind) => {
  let app: TestApp;
  let key: string;

  beforeAll(async () => {
    app = await startTestApp(kind, {
      environment: { MAX_BODY_MB: '16', CATALOGUE_REFRESH: 'off' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    ({ key } = await app.createWorkspace());
    const mine = catalogueCalls(app, key);
    await mine.config({ name: 'Sandbox', providerKey: 'sandbox', secret: undefined });
  });

  const raw = (
    body: string | Uint8Array,
    over: { headers?: Record<string, string>; path?: string; method?: string; key?: string } = {},
  ) =>
    fetch(`${app.url}${over.path ?? '/graphql'}`, {
      method: over.method ?? 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${over.key ?? key}`,
        ...over.headers,
      },
      body,
    });
  const isAlive = async () =>
    expect((await app.graph('{ viewer { caller } }', {}, key)).data.viewer.caller).toMatch(/^key:/);

  test('garbage in the values of every field is told as a typed error, whatever it is', async () => {
    const random = seededRandom(11);
    const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
    const wrong = () =>
      pick<unknown>([
        null,
        true,
        -1,
        0,
        1.5,
        2 ** 31,
        2 ** 53,
        1e308,
        'text',
        [],
        [[]],
        {},
        { __proto__: 1, constructor: 2 },
        [null],
        ...HOSTILE,
      ]);
    const valueFor = (type: GraphQLInputType, depth = 0): unknown => {
      if (random() < 0.03) return wrong();
      if (isNonNullType(type)) return valueFor(type.ofType, depth);
      if (isListType(type))
        return Array.from({ length: Math.floor(random() * 4) }, () => valueFor(type.ofType, depth + 1));
      if (isEnumType(type)) return pick([...type.getValues().map(({ name }) => name), 'NO_SUCH', 1]);
      if (isInputObjectType(type)) {
        if (depth > 6) return {};
        const chosen = Object.values(type.getFields()).filter(
          (field) => isNonNullType(field.type) || random() < 0.4,
        );
        return Object.fromEntries(chosen.map((field) => [field.name, valueFor(field.type, depth + 1)]));
      }
      const byName: Record<string, () => unknown> = {
        Int: () => pick([0, 1, -1, 100, 2 ** 31 - 1, 2 ** 31, 1.5]),
        Float: () => pick([0, -0, 1e308, -1, 0.1]),
        Boolean: () => random() < 0.5,
        Usd: () => pick(['1', '-1', '0.000000001', '1e9', '999999999999', 'x', 5]),
        DateTime: () =>
          pick([
            '2030-01-01T00:00:00Z',
            '9999-12-31T23:59:59Z',
            '+275760-09-13T00:00:00.000Z',
            'yesterday',
            '2030-13-01',
            0,
          ]),
        JSONObject: () =>
          pick<unknown>([
            {},
            { a: { b: { c: [1, 'x', null] } } },
            { __proto__: { polluted: true } },
            [],
            'text',
            { 'a\u0000': '\u0000' },
          ]),
      };
      return (
        byName[getNamedType(type).name] ??
        (() =>
          pick([
            ...HOSTILE,
            'auto',
            'sandbox/sandbox-text',
            Buffer.from('ModelInstance:00000000-0000-4000-8000-000000000000').toString('base64url'),
          ]))
      )();
    };
    const roots = [schema.getQueryType(), schema.getMutationType()];
    const fields = roots.flatMap((root) =>
      Object.values(root?.getFields() ?? {}).map((field) => ({ root: root?.name ?? '', field })),
    );
    // Runs that really begin are asked for elsewhere.
    const tried = fields.filter(({ field }) => field.args.length > 0);
    const codes = new Set<string>();
    for (let round = 0; round < 25; round += 1) {
      await Promise.all(
        tried.map(async ({ root, field }) => {
          const named = getNamedType(field.type);
          const below = isObjectType(named) || isInterfaceType(named) ? '{ __typename }' : '';
          const given = field.args.filter((arg) => isNonNullType(arg.type) || random() < 0.6);
          const declare = (arg: GraphQLArgument) => `$${arg.name}: ${arg.type}`;
          const head = given.length > 0 ? `(${given.map(declare).join(', ')})` : '';
          const passed =
            given.length > 0 ? `(${given.map(({ name }) => `${name}: $${name}`).join(', ')})` : '';
          const variables = Object.fromEntries(given.map((arg) => [arg.name, valueFor(arg.type)]));
          const response = await raw(
            JSON.stringify({
              query: `${root.toLowerCase()} ${head} { ${field.name}${passed} ${below} }`,
              variables,
            }),
            // Whoever may do most gets furthest.
            { key: app.adminKey },
          );
          const answer = (await response.json()) as {
            errors?: { message: string; extensions: { code: string } }[];
          };
          expect([field.name, response.status >= 500]).toEqual([field.name, false]);
          for (const { message, extensions } of answer.errors ?? []) {
            codes.add(extensions.code);
            if (!TYPED.test(extensions.code))
              throw new Error(
                `${field.name} ${JSON.stringify(variables).slice(0, 400)} → ${extensions.code} ${message}`,
              );
          }
        }),
      );
    }
    expect([...codes]).toEqual(expect.arrayContaining(['BAD_USER_INPUT', 'NOT_FOUND']));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await isAlive();
  }, 120_000);

  describe('garbage bytes', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const bodies: [string, string | Uint8Array, Record<string, string>?][] = [
      ['nothing', ''],
      ['no JSON', '{'],
      ['an array', '[]'],
      ['a text', '"{ viewer { caller } }"'],
      ['null', 'null'],
      ['broken UTF-8', new Uint8Array([0x7b, 0x22, 0x71, 0xff, 0xfe, 0xc0, 0x22, 0x3a, 0x31, 0x7d])],
      ['a null byte', '{"query":"{ viewer\u0000 { caller } }"}'],
      ['deep nesting', `{"query":"{ viewer { caller } }","variables":{"a":${deep}}}`],
      ['a deep document', `{"query":"${'{a'.repeat(20_000)}${'}'.repeat(20_000)}"}`],
      [
        'a 10 MB text',
        JSON.stringify({ query: `{ modelInstance(slug: "${'x'.repeat(10_000_000)}") { id } }` }),
      ],
      [
        'a 10 MB variable',
        JSON.stringify({
          query: 'query ($s: String) { modelInstance(slug: $s) { id } }',
          variables: { s: 'x'.repeat(10_000_000) },
        }),
      ],
      ['a body that is too large', JSON.stringify({ query: 'x'.repeat(17_000_000) })],
      ['the same key twice', '{"query":"{ viewer { caller } }","query":"{ nonsense }"}'],
      [
        'names of prototypes',
        '{"query":"{ viewer { caller } }","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      ],
      [
        'huge numbers',
        '{"query":"query($n: Int) { completions(first: $n) { totalCount } }","variables":{"n":1e400}}',
      ],
      ['another content type', '{"query":"{ viewer { caller } }"}', { 'content-type': 'text/plain' }],
      ['an unknown encoding', '{"query":"{ viewer { caller } }"}', { 'content-encoding': 'zip' }],
      ['a query that is a number', '{"query":1}'],
      ['variables that are a list', '{"query":"{ viewer { caller } }","variables":[1]}'],
      ['extensions that are text', '{"query":"{ viewer { caller } }","extensions":"x"}'],
      ['a header of 10 kB', '{"query":"{ viewer { caller } }"}', { 'x-request-id': 'x'.repeat(10_000) }],
    ];
    test.each(bodies)(
      'a request with %s is answered, and never by a 5xx',
      async (_name, body, headers = {}) => {
        for (const path of ['/graphql', '/graphql/stream']) {
          const response = await raw(body, { headers, path });
          const text = await response.text();
          expect([path, response.status >= 500, text.slice(0, 200)]).toEqual([
            path,
            false,
            expect.any(String),
          ]);
          if (response.status >= 400) {
            expect(JSON.parse(text).errors[0].extensions).toMatchObject({
              code: expect.stringMatching(TYPED),
            });
          }
          expect(text).not.toMatch(/"code":"INTERNAL|node_modules|at Object\.|\.ts:\d/);
        }
        await isAlive();
      },
    );

    test('garbage as bytes over a socket ends at most that socket', async () => {
      const messages = [
        '',
        '{',
        'null',
        '[]',
        '{"type":"x"}',
        '{"type":"subscribe"}',
        '{"id":"1","type":"subscribe","payload":{"query":1}}',
        `{"id":"2","type":"subscribe","payload":{"query":"{ viewer { caller } }","variables":${deep}}}`,
        '\u0000',
        'x'.repeat(1_000_000),
      ];
      for (const message of messages) {
        const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        const over = new Promise((resolve) => socket.on('close', resolve));
        socket.on('error', () => {});
        await new Promise((resolve) => socket.once('open', resolve));
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }));
        await new Promise((resolve) => socket.once('message', resolve));
        socket.send(message);
        const answered = new Promise((resolve) => socket.once('message', resolve));
        await Promise.race([over, answered]);
        socket.terminate();
      }
      await isAlive();
    });
  });

  test('text that only looks like an attack goes through every field and comes back as it was', async () => {
    const texts = HOSTILE.filter(
      (text) =>
        text.trim() !== '' &&
        text.length < 200 &&
        text.isWellFormed() &&
        !text.includes('\0') &&
        text !== '__proto__',
    );
    const mine = catalogueCalls(app, key);
    const run = async (query: string, variables: object) => {
      const { data, errors } = await app.graph(query, variables as Record<string, unknown>, key);
      if (errors) throw new Error(JSON.stringify(errors[0]));
      return data;
    };
    for (const [index, text] of texts.entries()) {
      const provider = await mine.provider({ key: `text-${index}`, displayName: text, description: text });
      expect(provider.displayName).toBe(text);
      const config = await mine.config({
        name: text,
        providerKey: 'sandbox',
        secret: undefined,
        withDefaultModel: false,
      });
      expect(config.name).toBe(text);
      const model = await mine.model({
        key: `text-${index}`,
        providerKey: 'sandbox',
        displayName: text,
        strengths: [text],
        customFields: { [text]: text },
      });
      expect(model).toMatchObject({ displayName: text, customFields: { [text]: text } });
      const instance = await mine.instance({
        slug: `text-${index}`,
        displayName: text,
        configId: config.id,
        canonicalId: 'sandbox/sandbox-text',
        customFields: { text },
      });
      expect(instance).toMatchObject({ displayName: text, customFields: { text } });
      const { createApiKey } = await run(
        'mutation ($name: String!) { createApiKey(input: {name: $name, scopes: [RUN]}) { apiKey { name } } }',
        { name: text },
      );
      expect(createApiKey.apiKey.name).toBe(text.trim());
      const { setMember } = await run(
        'mutation ($s: String!) { setMember(input: {subject: $s}) { member { subject } } }',
        { s: text },
      );
      expect(setMember.member.subject).toBe(text);
      const { complete } = await run(
        'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id text metadata } } }',
        {
          input: {
            model: 'sandbox/sandbox-text',
            messages: [{ role: 'USER', text }],
            metadata: { [text]: text },
            providerOptions: { sandbox: { text, tokensPerSecond: 0, firstTokenMs: 0 } },
          },
        },
      );
      expect(complete.completion).toMatchObject({ text, metadata: { [text]: text } });
      const again = await run('query ($id: String!) { completion(id: $id) { text metadata } }', {
        id: complete.completion.id,
      });
      expect(again.completion).toEqual({ text, metadata: { [text]: text } });
    }
  });

  test('garbage in great number leaves the process no larger', async () => {
    const flood = async () => {
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(
          Array.from({ length: 60 }, (_, index) =>
            raw(
              JSON.stringify({
                query: `{ a${round}x${index}: nonsense(x: "${'y'.repeat(5_000)}") }`,
                variables: { z: 'w'.repeat(20_000) },
              }),
            ).then((response) => response.text()),
          ),
        );
      }
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    await flood();
    const before = await flood();
    const after = [await flood(), await flood(), await flood()];
    expect(Math.min(...after) - before).toBeLessThan(60 * 1_048_576);
  }, 60_000);
});
