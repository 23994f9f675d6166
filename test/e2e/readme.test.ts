// Holds that each block of README.md runs as a reader pastes it, against a gateway that was started as README says.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, postgresUsable, type TestDatabase } from '../support/databases.ts';
import { buildServer, type ServerProcess, startServerProcess } from '../support/server-process.ts';

interface Block {
  readonly language: string;
  readonly text: string;
}

const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');
const blocks: Block[] = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', text = '']) => ({ language, text }),
);
const WIDEST = 160;

/** The one block that says so; a README that lost it fails here. */
function block(language: string, saying: string): string {
  const found = blocks.filter((each) => each.language === language && each.text.includes(saying));
  expect(found, `one ${language} block that says ${saying}`).toHaveLength(1);
  return found[0]?.text ?? '';
}

test('README.md and the pages in docs have no line of prose over 160 columns', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].filter((page) =>
    existsSync(page),
  );
  const wide = pages.flatMap((page) =>
    readFileSync(page, 'utf8')
      .split('\n')
      .map((line, index) => ({ at: `${page}:${index + 1}`, width: [...line].length }))
      .filter(({ width }) => width > WIDEST),
  );
  expect(wide).toEqual([]);
});

test('every page that README.md links to is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
  expect(links.filter((target) => !/^https?:/.test(target) && !existsSync(target))).toEqual([]);
});

describe.skipIf(!postgresUsable())('blocks of README.md', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let folder: string;
  let key: string;

  beforeAll(async () => {
    buildServer();
    mkdirSync('test-results', { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'modelgraph-readme-'));
    database = await createDatabase('postgresql');
    server = await startServerProcess({
      NODE_ENV: 'development',
      BOOTSTRAP_API_KEY: '',
      DATA_DIR: join(folder, 'data'),
      DATABASE_URL: database.url ?? '',
      OPENAI_API_KEY: 'sk-readme',
    });
    key = (await shell(`${block('sh', 'bootstrap-api-key')}\necho $KEY`)).trim();
  }, 60_000);

  afterAll(async () => {
    await server?.stop('SIGTERM');
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a reader types into a second terminal in the same folder, with this gateway's port. */
  async function shell(text: string): Promise<string> {
    const { stdout } = await run('sh', ['-ec', withPort(text)], {
      cwd: folder,
      env: { PATH: process.env.PATH, KEY: key ?? '' },
    });
    return stdout;
  }

  function withPort(text: string): string {
    return text.replaceAll('localhost:4000', new URL(server.url).host);
  }

  async function send(query: string): Promise<any> {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query }),
    });
    return response.json();
  }

  /** Runs a file as a reader's own program: packages resolve as they do in a checkout. */
  async function program(name: string, text: string): Promise<string> {
    const path = `test-results/${name}`;
    writeFileSync(path, withPort(text));
    try {
      const { stdout } = await run(process.execPath, [path], { env: { PATH: process.env.PATH, KEY: key } });
      return stdout;
    } finally {
      rmSync(path, { force: true });
    }
  }

  test('README: the server starts by its blocks, the key is where it says, and every script that it names exists', () => {
    expect(key).toMatch(/^mg_/);
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  test('README: the query finds models that read images and call tools', async () => {
    const { data } = JSON.parse(await shell(block('sh', 'maxInputPrice')));
    expect(data.modelSpecs.nodes).toHaveLength(5);
  });

  test('README: the mutation gives a completion with its cost and its plan', async () => {
    const { data } = JSON.parse(await shell(block('sh', 'mutation {')));
    expect(data.complete.completion).toMatchObject({
      text: expect.stringContaining('simulated'),
      instance: { slug: 'sandbox-text' },
    });
  });

  test('README: the subscription streams over SSE, to its end', async () => {
    const stream = await shell(block('sh', 'idempotencyKey'));
    expect(stream).toContain('"__typename":"CompletionStarted"');
    expect(stream).toContain('"__typename":"CompletionFinished"');
    expect(stream).toMatch(/^id: ?\S+:\d+$/m);
  });

  test('README: the graphql-ws program prints the whole answer', async () => {
    expect(await program('readme-graphql-ws.mjs', block('js', 'graphql-ws'))).toContain('You wrote: "Hello"');
  });

  test('README: the program of the own client is well typed and prints the answer with its usage', async () => {
    const text = block('ts', 'modelgraph/client');
    const path = 'test-results/readme-client.mts';
    writeFileSync(path, text);
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2024',
    ];
    await run(process.execPath, [
      'node_modules/typescript/bin/tsc',
      ...options,
      '--types',
      'node',
      path,
    ]).catch(({ stdout }) => expect.fail(stdout));
    rmSync(path);
    const printed = await program('readme-client.mts', text);
    expect(printed).toContain('You wrote: "Hello"');
    expect(printed).toContain('totalTokens');
  });

  test('README: each mutation for an own provider, instance, key and budget runs as it stands', async () => {
    const added = await send(block('graphql', 'AddProvider'));
    expect(added.data.createProviderConfig.userErrors).toEqual([]);
    const { id } = added.data.createProviderConfig.providerConfig;
    const instance = await send(block('graphql', 'AddInstance').replace('<id of the config>', id));
    expect(instance.data.createModelInstance).toMatchObject({
      modelInstance: { slug: 'writer' },
      userErrors: [],
    });
    const { data } = await send(block('graphql', 'AddKey'));
    expect(data.createApiKey).toMatchObject({ secret: expect.stringMatching(/^mg_/), userErrors: [] });
    expect(data.setBudget).toMatchObject({ budget: { spent: '0' }, userErrors: [] });
  });

  test('README: a model that plain SQL made can be called', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(block('sql', 'model_instance'));
    await client.end();
    const query =
      'mutation { complete(input: {model: "by-sql", messages: [{role: USER, text: "Hi"}]}) { completion { status } } }';
    await expect
      .poll(async () => (await send(query)).data?.complete?.completion.status, { timeout: 10_000 })
      .toBe('FINISHED');
  });

  test('README: the two lines for production make settings that a start takes', async () => {
    const text = block('sh', 'SECRET_KEYS=')
      .split('\n')
      .filter((line) => line.startsWith('echo '))
      .join('\n');
    await shell(text);
    const settings = Object.fromEntries(
      readFileSync(join(folder, '.env'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const other = await createDatabase('postgresql');
    const production = await startServerProcess({
      ...settings,
      NODE_ENV: 'production',
      DATABASE_URL: other.url ?? '',
      DATA_DIR: join(folder, 'production'),
    });
    expect(production.output()).toContain('Modelgraph is running');
    await production.stop('SIGTERM');
    await other.drop();
  }, 60_000);
});
