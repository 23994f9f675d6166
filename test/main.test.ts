import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildServer, type ServerProcess, startServerProcess } from './support/server-process.ts';

/** Code within the process that fails where nothing handles it, when the test sends a signal. */
const FAULTS = `
  process.on('SIGUSR2', () => { Promise.reject(new Error('rejected on purpose')); });
  process.on('SIGCONT', () => { throw new Error('thrown on purpose'); });
`;

beforeAll(buildServer, 120_000);

async function start(): Promise<ServerProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'modelgraph-main-'));
  const server = await startServerProcess({
    DATA_DIR: dataDir,
    SANDBOX: 'on',
    DRAIN_GRACE_MS: '200',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(FAULTS)}`,
  });
  onTestFinished(async () => {
    await server.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });
  return server;
}

async function logged(server: ServerProcess, words: string): Promise<Record<string, any>> {
  await expect.poll(() => server.output(), { timeout: 20_000 }).toContain(words);
  const line = server
    .output()
    .split('\n')
    .find((each) => each.includes(words));
  return JSON.parse(line ?? '');
}

test('a rejection that nothing handles is logged with its stack and counted, and does not end the process', {
  timeout: 90_000,
}, async () => {
  const server = await start();
  server.child.kill('SIGUSR2');
  const first = await logged(server, '"unhandled":1');
  expect(first.err.stack).toContain('Error: rejected on purpose\n    at ');
  server.child.kill('SIGUSR2');
  await logged(server, '"unhandled":2');
  expect((await server.graph('{ viewer { caller } }')).data.viewer.caller).toMatch(/^key:/);
});

test('an exception that nothing catches drains the node and ends it', { timeout: 90_000 }, async () => {
  const server = await start();
  const waiting = server.graph(
    'mutation { complete(input: { model: "sandbox-text", messages: [{ role: USER, text: "a" }], providerOptions: { sandbox: { tokens: 5000, tokensPerSecond: 20 } } }) { completion { id } } }',
  );
  await expect
    .poll(async () => (await server.graph('{ completions { totalCount } }')).data.completions.totalCount, {
      timeout: 20_000,
    })
    .toBe(1);
  const exited = once(server.child, 'exit');
  server.child.kill('SIGCONT');
  expect((await waiting).errors[0].extensions.code).toBe('NODE_DRAINING');
  expect((await exited)[0]).toBe(1);
  expect((await logged(server, 'thrown on purpose')).err.stack).toContain('Error: thrown on purpose');
});
