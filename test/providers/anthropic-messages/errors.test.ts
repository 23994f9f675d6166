// Holds what each refusal of a Messages API becomes, and how its models are listed and its credentials checked.

import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import { createAnthropicMessagesAdapter } from '../../../src/providers/anthropic-messages/adapter.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import type { Answer, Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  dependenciesOn,
  NO_WAY_OUT,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';
import { jsonReply } from './answers.ts';

const { signal } = new AbortController();

async function faultOf(reply: Reply, target: Partial<ProviderTarget> = {}) {
  await using provider = await startProvider(reply);
  const request = providerRequest({ target: providerTarget({ ...target, baseUrl: provider.upstream.url }) });
  const { fault, parts } = await collectParts(createAnthropicMessagesAdapter(provider), request);
  expect(parts).toEqual([]);
  return fault;
}

function errorReply(status: number, type: string, message: string, headers = {}): Reply {
  const body = { type: 'error', error: { type, message }, request_id: 'req_1' };
  return jsonReply(body, { status, headers: { 'content-type': 'application/json', ...headers } });
}

async function withAdapter<T>(
  answer: Answer | Reply,
  use: (
    adapter: ReturnType<typeof createAnthropicMessagesAdapter>,
    target: ProviderTarget,
    paths: () => string[],
  ) => Promise<T>,
  target: Partial<ProviderTarget> = {},
): Promise<T> {
  await using provider = await startProvider(answer);
  const paths = () => provider.upstream.requests.map(({ method, path }) => `${method} ${path}`);
  const own = providerTarget({ ...target, baseUrl: provider.upstream.url });
  return await use(createAnthropicMessagesAdapter(provider), own, paths);
}

describe('errors', () => {
  test.each([
    [400, 'invalid_request_error', 'max_tokens: too big', 'PROVIDER_INVALID_REQUEST', false],
    [
      400,
      'invalid_request_error',
      'prompt is too long: 9 tokens > 8 maximum',
      'CONTEXT_LENGTH_EXCEEDED',
      false,
    ],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 9 + 1 > 8',
      'CONTEXT_LENGTH_EXCEEDED',
      false,
    ],
    [
      400,
      'invalid_request_error',
      'Your credit balance is too low to access the API',
      'PROVIDER_AUTHENTICATION',
      false,
    ],
    [401, 'authentication_error', 'invalid x-api-key', 'PROVIDER_AUTHENTICATION', false],
    [402, 'billing_error', 'Pay.', 'PROVIDER_AUTHENTICATION', false],
    [403, 'permission_error', 'No.', 'PROVIDER_AUTHENTICATION', false],
    [404, 'not_found_error', 'model: nobody', 'MODEL_UNAVAILABLE', false],
    [413, 'request_too_large', 'Too large.', 'PROVIDER_INVALID_REQUEST', false],
    [429, 'rate_limit_error', 'Slow down.', 'PROVIDER_RATE_LIMITED', true],
    [500, 'api_error', 'Oops.', 'PROVIDER_UNAVAILABLE', true],
    [504, 'timeout_error', 'Late.', 'PROVIDER_TIMEOUT', true],
    [529, 'overloaded_error', 'Overloaded', 'PROVIDER_UNAVAILABLE', true],
  ])('a Claude error with %i %s "%s" is %s', async (status, type, message, code, transient) => {
    expect(await faultOf(errorReply(status, type, message))).toMatchObject({
      code,
      message,
      status,
      transient,
      providerCode: type,
      providerRequestId: 'req_1',
      phase: 'headers',
    });
  });

  test('a Claude error obeys retry-after and x-should-retry', async () => {
    const limited = errorReply(429, 'rate_limit_error', 'Slow.', {
      'retry-after': '7',
      'x-should-retry': 'false',
    });
    expect(await faultOf(limited)).toMatchObject({ retryAfterMs: 7000, transient: false });
    const asked = errorReply(400, 'invalid_request_error', 'Odd.', { 'x-should-retry': 'true' });
    expect(await faultOf(asked)).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST', transient: true });
  });

  test('a Claude error of the network before the API need not be JSON', async () => {
    const body = '<html><head><title>413 Request Entity Too Large</title></head></html>';
    const fault = await faultOf({
      status: 413,
      headers: { 'content-type': 'text/html', 'cf-ray': 'ray-1' },
      body,
    });
    expect(fault).toMatchObject({
      code: 'PROVIDER_INVALID_REQUEST',
      message: '413 Request Entity Too Large',
      providerRequestId: 'ray-1',
    });
  });

  test('a Claude error that repeats the key is told without it', async () => {
    const fault = await faultOf(errorReply(401, 'authentication_error', 'invalid key sk-own-secret'), {
      secret: new Secret('sk-own-secret'),
    });
    expect(fault?.message).toBe('invalid key [secret]');
  });

  test('a Claude error that is a redirect names where to, and is not followed', async () => {
    const fault = await faultOf({
      status: 307,
      headers: { location: 'https://elsewhere.example/v1' },
      body: '',
    });
    expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(fault?.message).toContain('elsewhere.example');
  });

  test('a Claude error for want of a credential comes before any call', async () => {
    const adapter = createAnthropicMessagesAdapter(dependenciesOn(NO_WAY_OUT));
    const { secret: _secret, ...target } = providerTarget();
    const { fault } = await collectParts(adapter, providerRequest({ target }));
    expect(fault).toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
  });
});

describe('the list of models', () => {
  test('the Claude list of models follows the pages and reads limits and capabilities', async () => {
    const pages: Reply[] = [
      jsonReply({
        data: [
          {
            type: 'model',
            id: 'claude-a',
            display_name: 'Claude A',
            max_input_tokens: 200_000,
            max_tokens: 64_000,
            capabilities: {
              image_input: { supported: true },
              structured_outputs: { supported: true },
              thinking: { supported: true, types: {} },
            },
          },
        ],
        has_more: true,
        last_id: 'claude-a',
      }),
      jsonReply({
        data: [{ id: 'claude-b', max_tokens: null, capabilities: null }],
        has_more: false,
        last_id: 'claude-b',
      }),
    ];
    await withAdapter(
      (_request, index) => pages[index] ?? { body: '' },
      async (adapter, target, paths) => {
        expect(await adapter.models?.list(target, { signal })).toEqual([
          {
            key: 'claude-a',
            displayName: 'Claude A',
            contextLength: 200_000,
            maxOutputTokens: 64_000,
            inputModalities: ['text', 'image'],
            outputModalities: ['text'],
            capabilities: ['tools', 'json-schema', 'reasoning'],
          },
          { key: 'claude-b' },
        ]);
        expect(paths()).toEqual(['GET /v1/models?limit=1000', 'GET /v1/models?limit=1000&after_id=claude-a']);
      },
    );
  });

  test('the Claude list of models refuses what is no list', async () => {
    await withAdapter(jsonReply({ models: [] }), async (adapter, target) => {
      await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
        code: 'PROVIDER_PROTOCOL',
      });
    });
  });

  test('the Claude list of models gives up on a list without end', async () => {
    let page = 0;
    const endless = () => jsonReply({ data: [], has_more: true, last_id: `m${page++}` });
    await withAdapter(endless, async (adapter, target) => {
      await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
        code: 'PROVIDER_PROTOCOL',
      });
    });
  });

  test('the Claude list of models says so where the provider has none', async () => {
    const quirks = { listsModels: false };
    await withAdapter(
      jsonReply({}),
      async (adapter, target) => {
        await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
          code: 'CAPABILITY_MISSING',
        });
      },
      { quirks },
    );
  });
});

describe('checks', () => {
  test('a Claude check asks for one model', async () => {
    await withAdapter(jsonReply({ data: [] }), async (adapter, target, paths) => {
      await adapter.health.check(target, { signal });
      expect(paths()).toEqual(['GET /v1/models?limit=1']);
    });
  });

  test('a Claude check raises what the provider says', async () => {
    await withAdapter(errorReply(401, 'authentication_error', 'invalid'), async (adapter, target) => {
      await expect(adapter.health.check(target, { signal })).rejects.toMatchObject({
        code: 'PROVIDER_AUTHENTICATION',
      });
    });
  });

  test('a Claude check without a list takes a refused empty request as proof of the credential', async () => {
    const quirks = { listsModels: false };
    await withAdapter(
      errorReply(400, 'invalid_request_error', 'model: required'),
      async (adapter, target, paths) => {
        await adapter.health.check(target, { signal });
        expect(paths()).toEqual(['POST /v1/messages']);
      },
      { quirks },
    );
    await withAdapter(
      errorReply(401, 'authentication_error', 'invalid'),
      async (adapter, target) => {
        await expect(adapter.health.check(target, { signal })).rejects.toMatchObject({
          code: 'PROVIDER_AUTHENTICATION',
        });
      },
      { quirks },
    );
  });
});
