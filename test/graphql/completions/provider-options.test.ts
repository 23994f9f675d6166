import { expect, test } from 'vitest';
import { startTestApp } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { postgresUsable } from '../../support/databases.ts';
import { startFakeUpstream } from '../../support/fake-upstream.ts';
import { payingWorkspace } from '../../support/money-calls.ts';
import { HELLO } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const COMPLETE = `mutation ($input: CompletionInput!) { complete(input: $input) { completion { text } } }`;
const ANSWER = {
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] }),
};

test.skipIf(!postgresUsable())(
  'a key that is bound to one model reaches no other through provider options',
  async () => {
    const app = await startTestApp('postgresql');
    const upstream = await startFakeUpstream(() => ANSWER);
    const { key } = await app.createWorkspace();
    const calls = catalogueCalls(app, key);
    const provider = await calls.provider({ protocol: 'openai-chat', baseUrl: upstream.url });
    const config = await calls.config({ providerKey: provider.key });
    const cheap = await calls.model({ providerKey: provider.key, key: 'cheap' });
    const { slug } = await calls.instance({ configId: config.id, canonicalId: cheap.canonicalId });
    const input = (fields: object) => ({
      input: { model: slug, messages: HELLO, providerOptions: { 'openai-chat': fields } },
    });

    const refused = await app.graph(COMPLETE, input({ model: 'dear' }), key);
    expect(refused.errors?.[0]).toMatchObject({
      message: expect.stringContaining('name the model in "model"'),
      extensions: { code: 'BAD_USER_INPUT', path: 'providerOptions.openai-chat.model' },
    });
    expect(upstream.requests).toHaveLength(0);

    const served = await app.graph(COMPLETE, input({ verbosity: 'low', service_tier: 'flex' }), key);
    expect(served.data.complete.completion.text).toBe('Hi');
    expect(upstream.requests[0]?.json()).toMatchObject({
      model: 'cheap',
      verbosity: 'low',
      service_tier: 'flex',
    });
    await upstream.close();
  },
);

test.skipIf(!postgresUsable())(
  'where an account pays, provider options that change the price are refused for every protocol that they name',
  async () => {
    const app = await startTestApp('postgresql', {
      environment: { BILLING: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    const workspace = await payingWorkspace(app);
    await workspace.credit('1');
    const providerOptions = { sandbox: { tokens: 3 }, 'anthropic-messages': { speed: 'fast' } };
    await expect(workspace.complete({ input: { providerOptions } })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'providerOptions.anthropic-messages.speed',
    });
    expect((await workspace.account()).reserved).toBe('0');
  },
);
