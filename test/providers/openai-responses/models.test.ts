// Holds how the Responses adapter lists models and proves address and credential.
import { describe, expect, test } from 'vitest';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import { providerTarget, startProvider } from '../../support/provider-calls.ts';

describe('the list of models', () => {
  const { signal } = new AbortController();
  test('the Responses list of models gives their names, and proves the credential', async () => {
    await using provider = await startProvider({
      body: '{"object":"list","data":[{"id":"gpt-5","object":"model"},{"id":"o3"}]}',
    });
    const adapter = createOpenAiResponsesAdapter(provider);
    const target = providerTarget({ baseUrl: provider.upstream.url });
    expect(await adapter.models?.list(target, { signal })).toEqual([{ key: 'gpt-5' }, { key: 'o3' }]);
    await adapter.health.check(target, { signal });
    expect(provider.upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /models',
      'GET /models',
    ]);
  });

  test.each([
    [200, 'hello', 'PROVIDER_PROTOCOL'],
    [200, '{"models":[]}', 'PROVIDER_PROTOCOL'],
    [401, '{"error":{"message":"no","code":"invalid_api_key"}}', 'PROVIDER_AUTHENTICATION'],
  ])('the Responses list of models of status %i that is %s is a fault', async (status, body, code) => {
    await using provider = await startProvider({ status, body });
    const target = providerTarget({ baseUrl: provider.upstream.url });
    await expect(
      createOpenAiResponsesAdapter(provider).models?.list(target, { signal }),
    ).rejects.toMatchObject({ code });
  });

  test('the Responses list of models may be missing: then an empty request that is refused as invalid proves address and credential', async () => {
    const statuses = [400, 401, 200];
    await using provider = await startProvider((_request, index) => ({
      status: statuses[index] ?? 500,
      body: '{"error":{"message":"model is required"}}',
    }));
    const adapter = createOpenAiResponsesAdapter(provider);
    const target = providerTarget({ baseUrl: provider.upstream.url, quirks: { modelsPath: null } });
    await adapter.health.check(target, { signal });
    await expect(adapter.health.check(target, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
    });
    await expect(adapter.health.check(target, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_PROTOCOL',
    });
    expect(provider.upstream.requests[0]).toMatchObject({ method: 'POST', path: '/responses', body: '{}' });
    await expect(
      adapter.health.check({ ...target, quirks: { checkPath: null } }, { signal }),
    ).rejects.toThrow();
    expect(provider.upstream.requests.at(-1)?.path).toBe('/responses');
    await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
      code: 'CAPABILITY_MISSING',
    });
  });

  test('the Responses list of models may give way to another path that proves the credential', async () => {
    const bodies = ['{"user":"me"}', '<html>Sign in</html>'];
    await using provider = await startProvider((_request, index) => ({ body: bodies[index] ?? '' }));
    const adapter = createOpenAiResponsesAdapter(provider);
    const target = providerTarget({ baseUrl: provider.upstream.url, quirks: { checkPath: '/me' } });
    await adapter.health.check(target, { signal });
    await expect(adapter.health.check(target, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_PROTOCOL',
    });
    expect(provider.upstream.requests.map(({ path }) => path)).toEqual(['/me', '/me']);
  });
});
