import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

describeEachDatabase('paid prices', (kind) => {
  let app: TestApp;
  let editor: CatalogueCalls;
  let owner: CatalogueCalls;
  beforeAll(async () => {
    app = await startTestApp(kind);
    const workspace = await app.createWorkspace(['ADMIN']);
    owner = catalogueCalls(app, workspace.key);
    const made = await app.graph(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { name: 'Editor', scopes: ['CATALOGUE'], workspaceId: workspace.id } },
    );
    editor = catalogueCalls(app, made.data.createApiKey.secret);
  });

  test('where completions are paid for a key without ADMIN neither sets prices nor calls anything free, which it may where nobody pays', async () => {
    const instance = await editor.instance();
    const [providerKey] = instance.canonicalId.split('/');
    const price = { canonicalId: instance.canonicalId, input: '1', output: '2' };
    const free = { id: instance.id, version: instance.version, free: true };
    const provider = async () =>
      (
        await editor.run('query ($key: String!) { providerSpec(key: $key) { id version } }', {
          key: providerKey,
        })
      ).data.providerSpec;
    expect((await editor.mutate('setPrice', price)).problems).toEqual([]);

    const budget = await owner.run(
      'mutation { setBudget(input: {period: DAY, limit: "1"}) { userErrors { message } } }',
    );
    expect(budget.errors).toBeUndefined();
    const attempts = [
      ['setPrice', { ...price, input: '0' }],
      ['updateModelInstance', free],
      ['updateProviderSpec', { ...(await provider()), free: true }],
      ['createProviderSpec', { key: 'gratis', displayName: 'G', protocol: 'openai-chat', free: true }],
    ] as const;
    for (const [name, input] of attempts) {
      await expect(editor.mutate(name, input)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect((await owner.mutate('setPrice', { ...price, input: '0' })).problems).toEqual([]);
    expect((await owner.mutate('updateModelInstance', free)).problems).toEqual([]);
  });
});
