import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp('embedded', {
    environment: { SANDBOX: 'on' },
    overrides: { catalogueData: await sandboxCatalogue() },
  });
}, 90_000);

test('the README’s loop over graphql-ws has each piece of text once, though its connection was lost', {
  timeout: 60_000,
}, async () => {
  const [, sample = ''] =
    /```js\n(import \{ createClient \} from 'graphql-ws';\n.*?)```/s.exec(
      readFileSync('README.md', 'utf8'),
    ) ?? [];
  const proxy = await startCuttingProxy(app.url);
  onTestFinished(() => proxy.close());
  const code = sample
    .replace('ws://localhost:4000', proxy.url.replace('http', 'ws'))
    .replace(
      "text: 'Hello' }] }",
      "text: 'Hello' }], providerOptions: { sandbox: { tokensPerSecond: 40 } } }",
    );
  expect(code).toContain('tokensPerSecond');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { ...process.env, KEY: app.adminKey },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const shown = async () =>
    (await app.graph('{ completions { nodes { text status } } }')).data.completions.nodes;
  await expect
    .poll(async () => (await shown())[0]?.text.length ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(20);
  proxy.cut();
  expect(await ended).toBe(0);
  expect(proxy.accepted).toBe(2);
  const [{ text, status }, ...others] = await shown();
  expect([status, others]).toEqual(['FINISHED', []]);
  expect(printed.trim()).toBe(text.trim());
});
