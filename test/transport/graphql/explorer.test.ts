import { readFileSync } from 'node:fs';
import fastifyFactory, { type FastifyInstance } from 'fastify';
import { buildSchema, type ExecutionArgs, execute, parse, subscribe, validate } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { deferred } from '../../../src/kernel/async.ts';
import { explorerPage, registerExplorer } from '../../../src/transport/graphql/explorer.ts';
import { EXPLORER_EXAMPLES } from '../../../src/transport/graphql/explorer-examples.ts';
import { ExplorerSignIn } from '../../../src/transport/graphql/explorer-sign-in.ts';
import { browserMissing, explainMissingBrowser, launchBrowser } from '../../support/browser.ts';

const KEY = 'mg_of_the_administrator';
const BROWSER_HEADERS = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const EXAMPLES = [{ name: 'Ticks', document: 'subscription Ticks { tick { seq text } }' }];

describe('explorer', () => {
  let fastify: FastifyInstance;

  beforeAll(async () => {
    fastify = fastifyFactory();
    registerExplorer(fastify, {
      graphqlPath: '/graphql',
      wsPath: '/graphql',
      signIn: new ExplorerSignIn(KEY),
    });
    fastify.get('/graphql', () => ({ data: null }));
    await fastify.ready();
  });

  afterAll(() => fastify.close());

  it('the explorer is what a browser finds at the GraphQL address, and never kept by a cache', async () => {
    const response = await fastify.inject({ url: '/graphql', headers: BROWSER_HEADERS });
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.body).toContain('AltairGraphQL.init');
  });

  it('the explorer leaves alone clients that ask for JSON, queries by GET, and other paths', async () => {
    const json = { accept: 'application/json' };
    expect((await fastify.inject({ url: '/graphql', headers: json })).json()).toEqual({ data: null });
    const query = { url: '/graphql?query=%7Bviewer%7D', headers: BROWSER_HEADERS };
    expect((await fastify.inject(query)).json()).toEqual({ data: null });
    expect((await fastify.inject({ url: '/elsewhere', headers: BROWSER_HEADERS })).statusCode).toBe(404);
  });

  it('the explorer names no other origin, and forbids the browser to reach one', async () => {
    const { body, headers } = await fastify.inject({ url: '/graphql', headers: BROWSER_HEADERS });
    const policy = String(headers['content-security-policy']);
    expect(body.replaceAll('/http/', '')).not.toMatch(/https?:\/\//);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  });

  it('the explorer serves every asset that the page names, with its type and for ever', async () => {
    const { body } = await fastify.inject({ url: '/graphql', headers: BROWSER_HEADERS });
    const base = /<base href="([^"]+)"/.exec(body)?.[1] ?? '';
    const names = [...body.matchAll(/(?:src|href)="([\w./-]+\.(?:js|css|ico|svg))"/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const response = await fastify.inject({ url: `${base}${name}` });
      expect(response.statusCode, name).toBe(200);
      expect(response.headers['content-type'], name).toMatch(/^(text\/javascript|text\/css|image\/)/);
      expect(response.headers['cache-control']).toContain('immutable');
    }
  });

  it('the explorer serves no file but its own', async () => {
    const { body } = await fastify.inject({ url: '/graphql', headers: BROWSER_HEADERS });
    const base = /<base href="([^"]+)"/.exec(body)?.[1] ?? '';
    for (const name of ['../../../package.json', '..%2f..%2fpackage.json', '%2e%2e/package.json', '']) {
      expect((await fastify.inject({ url: `${base}${name}` })).statusCode, name).toBe(404);
    }
  });

  it('the explorer holds no key, and a place to paste one', () => {
    const { html } = explorerPage({ graphqlPath: '/', wsPath: '/', examples: EXAMPLES });
    expect(html).toContain('paste-your-key-here');
    expect(html).not.toContain(KEY);
  });

  it('the explorer keeps an example from ending its script', () => {
    const examples = [{ name: '</script>', document: '{ a }' }];
    const { html } = explorerPage({ graphqlPath: '/', wsPath: '/', examples });
    expect(html).not.toContain('"</script>"');
  });

  it('the explorer opens with examples that are valid against the schema of the graph', () => {
    const graph = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));
    for (const { name, document } of EXPLORER_EXAMPLES)
      expect(validate(graph, parse(document)), name).toEqual([]);
  });
});

describe.skipIf(browserMissing)('explorer in a browser', () => {
  const schema = buildSchema(`
    type Tick { seq: Int! text: String! }
    type Query { "Answers with what it is." about: String! }
    type Subscription { "Streams, tick by tick." tick: Tick! }`);
  const rest = deferred();
  const signIn = new ExplorerSignIn(KEY);
  const connections: unknown[] = [];
  const foreign: string[] = [];
  const complaints: string[] = [];
  let fastify: FastifyInstance;
  let browser: Browser;
  let page: Page;

  async function* ticks() {
    yield { tick: { seq: 1, text: 'first-piece' } };
    await rest.promise;
    yield { tick: { seq: 2, text: 'second-piece' } };
  }

  beforeAll(async () => {
    fastify = fastifyFactory();
    registerExplorer(fastify, {
      graphqlPath: '/graphql',
      wsPath: '/graphql',
      signIn,
      examples: EXAMPLES,
    });
    const sockets = new WebSocketServer({ noServer: true });
    useServer(
      {
        schema,
        execute,
        validate,
        onConnect: ({ connectionParams }) => void connections.push(connectionParams),
        subscribe: (args: ExecutionArgs) => subscribe({ ...args, rootValue: { tick: ticks } }),
      },
      sockets,
    );
    fastify.server.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request)),
    );
    const url = await fastify.listen({ port: 0, host: '127.0.0.1' });
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && /^(http|ws)/.test(request.url())) foreign.push(request.url());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });
    await page.goto(`${url}/graphql${signIn.fragment}`);
  });

  afterAll(async () => {
    await browser?.close();
    await fastify?.close();
  });

  it('the explorer in a browser shows each event as it comes, with the key in the connection, and asks no other host', async () => {
    await page.getByText('Send Request', { exact: true }).click();
    const list = page.locator('.query-result__list');
    await list.getByText('first-piece').waitFor();
    expect(await list.getByText('second-piece').count()).toBe(0);
    rest.resolve();
    await list.getByText('second-piece').waitFor();
    expect(await list.getByText('first-piece').count()).toBe(1);
    expect(connections).toEqual([{ authorization: `Bearer ${KEY}` }]);
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
    expect(page.url()).not.toContain('sign-in');
  });

  it('the explorer in a browser joins the texts of a stream into one answer, and names the key that is in use', async () => {
    expect(await page.locator('#answer-panel span').textContent()).toBe('first-piecesecond-piece');
    expect(await page.locator('#answer-panel').isVisible()).toBe(true);
    expect(await page.getByText("Key: this machine's administrator").count()).toBeGreaterThan(0);
  });

  it('the explorer in a browser signs in once: the same browser stays signed in, another has to paste a key', async () => {
    const { origin } = new URL(page.url());
    await page.goto(`${origin}/graphql`);
    await page.getByText("Key: this machine's administrator").first().waitFor();
    expect(signIn.fragment).toBe('');
    // As in a browser that was never here.
    await page.evaluate('localStorage.clear()');
    await page.goto(`${origin}/graphql?again#sign-in=used-up`);
    await page.getByText('Key: none yet').first().waitFor();
    expect(complaints).toEqual([]);
  });
});

explainMissingBrowser();
