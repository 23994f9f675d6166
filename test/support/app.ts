// Owns the gateway of the tests: the whole app on a free port and a fresh database, and a plain client of its graph.
import { randomBytes } from 'node:crypto';
import { afterAll } from 'vitest';
import { type App, type AppOverrides, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/configuration/config.ts';
import { createDatabase, type DatabaseKind, type TestDatabase } from './databases.ts';

export interface GraphAnswer<Data = Record<string, any>> {
  readonly status: number;
  readonly data: Data;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, any>;
  }[];
}

export interface TestApp {
  readonly app: App;
  readonly url: string;
  /** The API key of the installation's administrator. */
  readonly adminKey: string;
  readonly database: TestDatabase;
  /** Sends one operation over HTTP; with the administrator's key unless told otherwise. */
  graph<Data = Record<string, any>>(
    query: string,
    variables?: Record<string, unknown>,
    key?: string,
  ): Promise<GraphAnswer<Data>>;
  /** A workspace of its own with a key of the scopes (default `ADMIN`). */
  createWorkspace(scopes?: readonly string[]): Promise<TestWorkspace>;
  close(): Promise<void>;
}

export interface TestWorkspace {
  readonly id: string;
  readonly slug: string;
  readonly key: string;
}

export interface TestAppOptions {
  readonly database?: TestDatabase;
  readonly environment?: Record<string, string>;
  readonly overrides?: AppOverrides;
}

/** Started in `beforeAll`; closed and dropped when the suite ends. */
export async function startTestApp(kind: DatabaseKind, options: TestAppOptions = {}): Promise<TestApp> {
  const database = options.database ?? (await createDatabase(kind));
  const adminKey = options.environment?.BOOTSTRAP_API_KEY ?? `mg_test_${randomBytes(16).toString('hex')}`;
  const config = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: database.dataDir,
    ...(database.url === undefined ? {} : { DATABASE_URL: database.url }),
    BOOTSTRAP_API_KEY: adminKey,
    SECRET_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    LOG_LEVEL: 'silent',
    DRAIN_GRACE_MS: '1000',
    ...options.environment,
  });
  const app = await createApp(config, { catalogueData: null, ...options.overrides });
  const graph: TestApp['graph'] = (query, variables = {}, key = adminKey) =>
    post(`${app.url}${app.graphqlPath}`, { query, variables }, key);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await app.close();
    if (!options.database) await database.drop();
  };
  opened.push(close);
  return {
    app,
    url: app.url,
    adminKey,
    database,
    graph,
    close,
    createWorkspace: (scopes = ['ADMIN']) => createWorkspace(graph, scopes),
  };
}

const opened: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

export async function post<Data>(url: string, body: unknown, key?: string): Promise<GraphAnswer<Data>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as Omit<GraphAnswer<Data>, 'status'>) };
}

async function createWorkspace(graph: TestApp['graph'], scopes: readonly string[]): Promise<TestWorkspace> {
  const slug = `test-${randomBytes(6).toString('hex')}`;
  const made = await graph(
    'mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { workspace { id } userErrors { message } } }',
    { input: { slug } },
  );
  const { id } = made.data.createWorkspace.workspace;
  const keyed = await graph(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }',
    { input: { name: 'Test', scopes, workspaceId: id } },
  );
  return { id, slug, key: keyed.data.createApiKey.secret };
}
