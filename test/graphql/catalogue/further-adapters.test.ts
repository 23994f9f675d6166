import { beforeAll, expect, test } from 'vitest';
import { createSandboxAdapter } from '../../../src/providers/sandbox/adapter.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

const COMPLETE = `mutation ($model: String!) {
  complete(input: { model: $model, messages: [{ role: USER, text: "Hello" }] }) { completion { text } }
}`;

describeEachDatabase('further adapters', (kind) => {
  let app: TestApp;
  let calls: CatalogueCalls;

  beforeAll(async () => {
    app = await startTestApp(kind, { environment: { ADAPTERS: './test/fixtures/adapters/echo.mjs' } });
    calls = catalogueCalls(app, app.adminKey);
  });

  test('further adapters serve providers under their protocol names', async () => {
    const provider = await calls.provider({ protocol: 'test-echo', baseUrl: 'http://127.0.0.1:9' });
    const config = await calls.config({ providerKey: provider.key });
    const model = await calls.model({ providerKey: provider.key });
    const { slug } = await calls.instance({ configId: config.id, canonicalId: model.canonicalId });
    const { data } = await calls.run(COMPLETE, { model: slug });
    expect(data.complete.completion.text).toBe('Hello');
  });

  // Two nodes on one database: only one of them was started with the adapter.
  test.skipIf(kind === 'embedded')(
    'further adapters that a node lacks leave their rows MODEL_UNAVAILABLE and harm no other',
    async () => {
      const provider = await calls.provider({ protocol: 'test-echo', baseUrl: 'http://127.0.0.1:9' });
      const config = await calls.config({ providerKey: provider.key });
      const lost = await calls.model({ providerKey: provider.key });
      const { slug } = await calls.instance({ configId: config.id, canonicalId: lost.canonicalId });
      const without = await startTestApp(kind, {
        database: app.database,
        overrides: { adapters: [createSandboxAdapter()] },
      });
      const refused = await without.graph(COMPLETE, { model: slug }, app.adminKey);
      expect(refused.errors?.[0]).toMatchObject({
        message: expect.stringContaining('test-echo'),
        extensions: { code: 'MODEL_UNAVAILABLE' },
      });
      const other = await calls.provider({ protocol: 'sandbox', baseUrl: null });
      const sandbox = await calls.config({ providerKey: other.key });
      const model = await calls.model({ providerKey: other.key, key: 'sandbox-text' });
      const good = await calls.instance({ configId: sandbox.id, canonicalId: model.canonicalId });
      // The other node takes in what this one wrote within a second; the sandbox takes a moment to answer.
      await expect
        .poll(() => without.graph(COMPLETE, { model: good.slug }, app.adminKey), { timeout: 10_000 })
        .toMatchObject({ data: { complete: { completion: { text: expect.any(String) } } } });
    },
  );

  test('further adapters that have no completions leave the models of their providers refused in words', async () => {
    const without = await startTestApp(kind, {
      overrides: { adapters: [{ protocol: 'test-deaf', health: { check: async () => {} } }] },
    });
    const own = catalogueCalls(without, without.adminKey);
    const provider = await own.provider({ protocol: 'test-deaf', baseUrl: 'http://127.0.0.1:9' });
    const config = await own.config({ providerKey: provider.key });
    const model = await own.model({ providerKey: provider.key });
    const { slug } = await own.instance({ configId: config.id, canonicalId: model.canonicalId });
    const refused = await without.graph(COMPLETE, { model: slug }, without.adminKey);
    expect(refused.errors?.[0]).toMatchObject({
      message: 'The protocol "test-deaf" offers no completions here; call another model',
      extensions: { code: 'CAPABILITY_MISSING' },
    });
  });

  test.each([
    ['./nowhere.mjs', 'could not be loaded'],
    ['./test/fixtures/adapters/taken.mjs', 'which another adapter has already'],
    ['./test/fixtures/adapters/silent.mjs', 'does not say what providerOptions may not set'],
    [
      './test/fixtures/adapters/earlier-form.mjs',
      'Move "optionRules" to "completions.optionRules", "stream" to "completions.stream", "unsupported" to "completions.unsupported", "listModels" to "models.list", "check" to "health.check". The form is { protocol, completions: {',
    ],
    ['./test/fixtures/adapters/partial.mjs', 'lacks health.check, completions.unsupported'],
    ['./test/fixtures/adapters/idle.mjs', 'has no call that a caller could use'],
    ['node:path', 'exports no function createAdapters'],
  ])('a further adapter that is not one stops the start with what is wrong: %s', async (entry, words) => {
    const starting = startTestApp('embedded', { environment: { ADAPTERS: entry } });
    await expect(starting).rejects.toThrow(words);
    await expect(starting).rejects.toMatchObject({ name: 'StartError' });
  });
});
